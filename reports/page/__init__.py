"""The page: one folder of plain HTML that opens in any browser, without a server and without the network."""
