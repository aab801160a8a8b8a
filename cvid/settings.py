"""All settings in one frozen, validated object; `cvid.settings_sources` reads them.

Every threshold of cvid stands here with the reason for its default; `docs/LOG.md` has the figures.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A group of settings: frozen, unknown names and infinite numbers refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SelectionSettings(Section):
    """Which frames are analysed."""

    decode: Literal["all", "reference", "key"] = Field(
        "reference",
        description=(
            "Frames that are decoded: all, those that others are predicted from, or key frames alone. Reference, "
            "because the decoder is the limit and the others lie between two that are seen (docs/performance.md)."
        ),
    )
    span_s: float = Field(
        60.0,
        ge=10,
        description=(
            "Length of the spans in which a long video is looked through, about (seconds). 60: shorter ones cost more "
            "openings and seams, longer ones leave a core idle at the end."
        ),
    )
    flow: bool = Field(
        True,
        description=(
            "Skip frames in which nothing moved, by optical flow; off: analyse every min_gap_s. On because it "
            "analyses a fraction of the frames and finds the same people (docs/LOG.md, Frame selection)."
        ),
    )
    brightness: bool = Field(
        True,
        description="Skip frames too dark to show a face. On because black frames cost time and breed false faces.",
    )
    fixed_rate_hz: float = Field(
        0.0,
        ge=0,
        le=100,
        description=(
            "Above 0: analyse at this rate and nothing else decides. Off because it either misses brief "
            "people or looks at still ones again and again."
        ),
    )
    width_px: int = Field(
        160,
        ge=32,
        le=1920,
        description=(
            "Width of the small luma picture that cuts and motion are judged on. 160 because flow then costs "
            "0.2 ms a frame, and a face is still a few px."
        ),
    )
    motion: float = Field(
        0.02,
        ge=0,
        description=(
            "Flow since the last analysed frame that counts as motion, in picture widths. 0.02 is about a "
            "tenth of a face: less shows nothing new."
        ),
    )
    flow_gap_s: float = Field(
        0.1,
        ge=0,
        description=(
            "After a look at the flow that found nothing, the next one comes no sooner. 0.1 because that is a fifth "
            "of the looks, and nobody crosses a picture in it."
        ),
    )
    same_change: float = Field(
        1.0,
        ge=0,
        le=255,
        description=(
            "Change of mean luma up to which a part of the picture, a twentieth of its width, is the same as in the "
            "last analysed frame. Where all parts are, no look is needed: a person who walks in far away changes more."
        ),
    )
    same_s: float = Field(
        5.0,
        ge=0,
        description=(
            "Analyse at least this often even where nothing changes; 0: at the floor's rate everywhere. 5 s because "
            "who was missed then has another chance in the same shot."
        ),
    )
    min_gap_s: float = Field(
        0.24,
        ge=0,
        description=(
            "Never analyse more often than this inside a shot. 0.24 because a face that crosses the picture "
            "in a second still overlaps itself."
        ),
    )
    floor_s: float = Field(
        1.0,
        gt=0,
        description="Analyse at least this often, so that still people are seen. 1 s gives a shot of 1.5 s two looks.",
    )
    cut_change: float = Field(
        6.0,
        ge=0,
        le=255,
        description=(
            "Mean luma change from frame to frame that a cut has at least. Noise and compression stay below "
            "3, measured cuts change 17 and more."
        ),
    )
    cut_likeness: float = Field(
        0.6,
        ge=-1,
        le=1,
        description=(
            "Correlation of neighbouring frames below which a shot ends. Within shots it stays above 0.8, "
            "across cuts below 0.3."
        ),
    )
    cut_rise: float = Field(
        3.0,
        ge=0,
        description=(
            "A cut changes this many times what the frame before changed. 3, so that a fast pan or a shaking "
            "camera is no row of cuts; 0 where frames are no neighbours."
        ),
    )
    dark_luma: float = Field(
        40.0,
        ge=0,
        le=255,
        description=(
            "A frame whose brightest percent lies below this is dark. Black is 16 to 22; a face lit at a "
            "third still reaches 60."
        ),
    )


class TrackingSettings(Section):
    """How faces become tracks inside a shot."""

    high_score: float = Field(
        0.5,
        ge=0,
        le=1,
        description=(
            "Faces above it may start a track; lower ones only extend one. 0.5 is SCRFD's own usual bar; "
            "false faces above it are rare."
        ),
    )
    min_overlap: float = Field(
        0.2,
        ge=0,
        le=1,
        description=(
            "Overlap (IoU) with the expected box that a track's next face has. 0.2, low, because looks come "
            "up to a second apart."
        ),
    )
    min_likeness: float = Field(
        0.3,
        ge=-1,
        le=1,
        description=(
            "Correlation with the track's last face that its next one has. 0.3 stops a track from going over "
            "to another person after a missed cut."
        ),
    )
    sure_likeness: float = Field(
        0.8,
        ge=-1,
        le=1,
        description=(
            "From this correlation on, boxes need only touch. Aligned faces of two people reach 0.7, one "
            "person's neighbouring ones 0.9."
        ),
    )
    max_gap_s: float = Field(
        1.5, gt=0, description="A track unseen for longer has ended. 1.5 s bridges one missed look at the floor's rate."
    )


class FaceSettings(Section):
    """Which faces of a track are kept and embedded."""

    exemplars: int = Field(
        5,
        ge=1,
        le=50,
        description=(
            "Best faces of a track that are embedded. 5: with 2, linked F falls by 0.01 to 0.04 "
            "(docs/LOG.md); more cost time and gain nothing."
        ),
    )
    apart_s: float = Field(
        1.0,
        ge=0,
        description=(
            "Exemplars shall lie so far apart (seconds) where faces are equally good; 0: the best faces alone. 1, "
            "because other moments show other poses, and whether a track drifted onto another person."
        ),
    )
    crops: bool = Field(
        True,
        description=(
            "Keep the exemplars' faces in the archive. True, because then it can change its models without the "
            "footage; `status` says how much room they take."
        ),
    )
    min_quality: float = Field(
        0.0,
        ge=0,
        le=1,
        description=(
            "Poorer faces are not embedded. 0 because even poor faces can still join a person; they never found one."
        ),
    )
    keep: Literal["best", "exemplars", "all"] = Field(
        "best",
        description=(
            "Face pictures kept in the archive: each appearance's best, its exemplars, or all. Best, to keep "
            "archives small."
        ),
    )


class ClusteringSettings(Section):
    """How tracks become people."""

    method: str = Field(
        "hybrid",
        description="Name of the clustering method. Hybrid, because it does best on footage and stills (docs/LOG.md).",
    )
    bar: float = Field(
        0.0,
        ge=0,
        lt=1,
        description=(
            "Above 0: link at this cosine instead of the bar by archive size. 0 because no constant is right "
            "for thirty and three thousand people."
        ),
    )
    false_links: float = Field(
        0.0,
        ge=0,
        description=(
            "Strangers that a track may expect above the bar by chance, which sets the bar; 0: the model's own "
            "measured number (cvid/clustering/bars.py), because models' strangers spread differently."
        ),
    )
    strictness: Literal["cautious", "balanced", "eager"] | Annotated[float, Field(gt=0)] = Field(
        "balanced",
        description=(
            "How much a wrong link weighs beside a missed one: cautious and eager allow a fifth and four times the "
            "false links of balanced; a number is false_links itself. Balanced, because it measured best (docs/LOG.md)."
        ),
    )
    cohesion: float = Field(
        0.0,
        ge=0,
        lt=1,
        description=(
            "A merge must reach this share of the similarity inside each group; 0: the model's own measured share, "
            "because models differ in how alike they find everybody. Lower melts look-alikes of one room, higher "
            "splits people."
        ),
    )
    normalisation: float = Field(
        0.0,
        ge=0,
        le=2,
        description=(
            "How far hybrid counts a face's likeness to strangers in general against its likeness to one person; 0: "
            "the model's own measured share, because models differ in how many such faces they know."
        ),
    )
    second_pass: bool = Field(
        True,
        description=(
            "Whether hybrid lets small groups that are left over join a person by the mean direction of all its "
            "faces. True, because among strangers it finds most of what a strict bar loses (docs/LOG.md)."
        ),
    )
    margin: float = Field(
        0.04,
        ge=0,
        le=1,
        description=(
            "How much more alike a person must be to such a group than the runner-up, as a cosine. 0.04 keeps "
            "some strangers out and loses nobody; 0.08 loses people of whom others have a likeness."
        ),
    )
    k: int = Field(
        0,
        ge=0,
        description=(
            "How many groups kmeans and spectral make, single tracks among them; 0: as many as average-link makes, "
            "which is said. 0, because nobody knows how many people an archive holds."
        ),
    )
    found_s: float = Field(
        1.5,
        ge=0,
        description=(
            "A shorter track may join a person but not found one alone; two of a third of that may together. 1.5 s: "
            "passers-by and false faces are briefer."
        ),
    )
    found_quality: float = Field(
        0.15,
        ge=0,
        le=1,
        description=(
            "Quality of the best face that a founding track must have. 0.15 refuses only what nobody could "
            "recognise: blurred profiles in the dark."
        ),
    )


class Settings(Section):
    """Everything that decides a result; stored with each run."""

    models: str = Field(
        "auto",
        description=(
            "Model set: embedded, light, standard, full, permissive, or auto (the best of standard, light and embedded "
            "whose files are present)."
        ),
    )
    detectors: str = Field("", description="Detectors by name instead of the set's, joined by commas.")
    embedders: str = Field("", description="Embedders by name instead of the set's, joined by commas.")
    tandem: Literal["cascade", "union", "vote"] = Field(
        "cascade",
        description=(
            "How several detectors work together: the first on every frame and the others where it is unsure "
            "(cascade), all on every frame (union), or only what most of them find (vote)."
        ),
    )
    fusion: Literal["calibrated", "equal"] = Field(
        "calibrated",
        description=(
            "How the vectors of several embedders are weighed: by a calibration from labelled pairs, or all alike."
        ),
    )
    device: str = Field(
        "auto",
        description=(
            "Where the networks run: auto (CUDA GPUs that ONNX Runtime can use, else the CPU), cpu, cuda, tensorrt, "
            "rocm, migraphx, coreml, openvino or directml. One that is not there is an error. Of several GPUs all are "
            "used, or those of CUDA_VISIBLE_DEVICES, or one by its number: cuda:1."
        ),
    )
    model_dir: str = Field(
        "", description="Folder that holds downloaded weights; else CVID_MODEL_DIR, else the user's cache."
    )
    speed: Literal["thorough", "balanced", "skim"] = Field(
        "balanced",
        description=(
            "How closely footage is looked at: thorough, balanced, or skim (key frames alone, a first look). It sets "
            "what is not set singly; docs/performance.md has what each finds and costs."
        ),
    )
    jobs: int = Field(0, ge=0, le=512, description="Worker processes; 0: one a core, because each runs one thread.")
    engine: Literal["local", "ray", "inline"] = Field(
        "local",
        description=(
            "Who does the work: processes of this machine (local), a Ray cluster (ray), or this process alone "
            "(inline). Local, because it needs nothing else; all give the same archive."
        ),
    )
    ray_address: str = Field(
        "auto",
        description=(
            "Where the Ray cluster is: auto (the one that runs here), HOST:PORT, ray://HOST:PORT, or local to start "
            "one for this run. Auto, because a cluster's head knows itself."
        ),
    )
    selection: SelectionSettings = SelectionSettings()
    tracking: TrackingSettings = TrackingSettings()
    faces: FaceSettings = FaceSettings()
    clustering: ClusteringSettings = ClusteringSettings()
