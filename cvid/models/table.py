"""Every detector and face model that cvid can run: whose it is, under what licence, and where its weights come from.

A test holds docs/models.md to this table.
"""

from __future__ import annotations

from dataclasses import dataclass

_INSIGHTFACE = "https://github.com/deepinsight/insightface/releases/download/v0.7"
_ZOO = "https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models"
_DEEPFACE = "https://github.com/serengil/deepface_models/releases/download/v1.0"
_RESEARCH = "InsightFace models: non-commercial research only"
_SCRFD_INPUT = "up to 640 px a side, RGB, (x − 127.5) / 128"
_ARCFACE_INPUT = "112×112, five points aligned, RGB, (x − 127.5) / 127.5"
_DEEPFACE_INPUT = "eyes level, black bars, BGR, x / 255"


@dataclass(frozen=True)
class Weights:
    """The file of a model."""

    file: str  # its name in the folders that are searched
    size: int  # bytes; 0 where upstream does not say
    sha256: str  # "" where none is known: then the graph's signature is all that can be checked
    url: str = ""  # "" where upstream offers no lasting address: fetched or made by hand
    member: str = ""  # its path inside the zip at `url`
    cached_as: str = ""  # where another library keeps it, below the home folder


@dataclass(frozen=True)
class Model:
    """A detector or an embedder as it is offered."""

    name: str
    kind: str  # "detector" or "embedder"
    licence: str
    commercial: bool
    source: str
    input: str  # size, colours and normalisation in words
    measured: bool  # by us, with the true weights
    weights: Weights | None = None  # None: inside `package`
    instead: Weights | None = None  # another export of the same network, taken where `weights` is not here
    package: str = ""  # the Python package that holds the weights or the code that reads them
    packaged: tuple[str, ...] = ()  # the weights' files inside `package`


MODELS = {
    model.name: model
    for model in (
        Model(
            name="scrfd_500m",
            kind="detector",
            licence=_RESEARCH,
            commercial=False,
            source="insightface, detection/scrfd: SCRFD_500M_KPS",
            input=_SCRFD_INPUT,
            measured=True,
            weights=Weights(
                "scrfd_500m_kps.onnx", 2524095, "517cb1980c72422e676738fc45431700fb7cbee56d0f825b623ee427b3e5ce58"
            ),
            instead=Weights(
                "det_500m.onnx",
                2524817,
                "5e4447f50245bbd7966bd6c0fa52938c61474a04ec7def48753668a9d8b4ea3a",
                f"{_INSIGHTFACE}/buffalo_sc.zip",
                "det_500m.onnx",
                ".insightface/models/buffalo_sc/det_500m.onnx",
            ),
        ),
        Model(
            name="scrfd_2.5g",
            kind="detector",
            licence=_RESEARCH,
            commercial=False,
            source="insightface, detection/scrfd: SCRFD_2.5G_KPS",
            input=_SCRFD_INPUT,
            measured=True,
            weights=Weights(
                "scrfd_2.5g_kps.onnx", 3291017, "32d20c77b9e2dc1d07e94c2ab9d25bdd5cd05eddbe0b46e7b38e7a1eca22e99a"
            ),
            instead=Weights(
                "det_2.5g.onnx",
                3292009,
                "041f73f47371333d1d17a6fee6c8ab4e6aecabefe398ff32cca4e2d5eaee0af9",
                f"{_INSIGHTFACE}/buffalo_m.zip",
                "det_2.5g.onnx",
                ".insightface/models/buffalo_m/det_2.5g.onnx",
            ),
        ),
        Model(
            name="scrfd_10g",
            kind="detector",
            licence=_RESEARCH,
            commercial=False,
            source="insightface, pack buffalo_l",
            input=_SCRFD_INPUT,
            measured=False,
            weights=Weights(
                "det_10g.onnx",
                16923827,
                "5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91",
                f"{_INSIGHTFACE}/buffalo_l.zip",
                "det_10g.onnx",
                ".insightface/models/buffalo_l/det_10g.onnx",
            ),
        ),
        Model(
            name="retinaface_mnet",
            kind="detector",
            licence="MIT (Pytorch_Retinaface)",
            commercial=True,
            source="biubug6/Pytorch_Retinaface, MobileNet-0.25",
            input="640×640, BGR minus (104, 117, 123)",
            measured=True,
            weights=Weights(
                "retinaface_mnet025.onnx", 1729290, "10ba7891fd076d0b52125b507ae1499465aaa269d007459a43c64ae9d3277648"
            ),
        ),
        Model(
            name="retinaface_r50",
            kind="detector",
            licence="MIT (retina-face)",
            commercial=True,
            source="serengil/retinaface, ResNet-50",
            input="up to 1980 px a side, RGB",
            measured=False,
            weights=Weights(
                "retinaface.onnx", 0, "", f"{_DEEPFACE}/retinaface.onnx", "", ".deepface/weights/retinaface.onnx"
            ),
            package="retina-face",
        ),
        Model(
            name="mtcnn",
            kind="detector",
            licence="MIT",
            commercial=True,
            source="ipazc/mtcnn, inside the package",
            input="a pyramid of scales, RGB, (x − 127.5) / 128",
            measured=True,
            package="mtcnn",
            packaged=("assets/weights/pnet.lz4", "assets/weights/rnet.lz4", "assets/weights/onet.lz4"),
        ),
        Model(
            name="yunet",
            kind="detector",
            licence="MIT (OpenCV zoo)",
            commercial=True,
            source="opencv_zoo, face_detection_yunet",
            input="up to 640 px a side, BGR",
            measured=False,
            weights=Weights(
                "face_detection_yunet_2023mar.onnx",
                232589,
                "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
                f"{_ZOO}/face_detection_yunet/face_detection_yunet_2023mar.onnx",
            ),
        ),
        Model(
            name="mobilefacenet",
            kind="embedder",
            licence="Apache-2.0",
            commercial=True,
            source="foamliu/MobileFaceNet, weights/MobileFaceNet.onnx",
            input="112×112, five points aligned, RGB, ImageNet mean and deviation",
            measured=True,
            weights=Weights(
                "MobileFaceNet.onnx",
                3998070,
                "b7120c095d60094f28a4a54ba6a8bf51b297a6273fb40ef6350dfec1f63d9507",
                "https://github.com/foamliu/MobileFaceNet/raw/master/weights/MobileFaceNet.onnx",
            ),
        ),
        Model(
            name="dlib_resnet",
            kind="embedder",
            licence="CC0 (dlib-models)",
            commercial=True,
            source="ageitgey/face_recognition_models, inside the package",
            input="150×150, five points aligned, RGB minus a mean",
            measured=True,
            package="face_recognition_models",
            packaged=("models/dlib_face_recognition_resnet_model_v1.dat",),
        ),
        Model(
            name="arcface_r50",
            kind="embedder",
            licence=_RESEARCH,
            commercial=False,
            source="insightface, pack buffalo_l: w600k_r50",
            input=_ARCFACE_INPUT,
            measured=False,
            weights=Weights(
                "w600k_r50.onnx",
                174383860,
                "4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43",
                f"{_INSIGHTFACE}/buffalo_l.zip",
                "w600k_r50.onnx",
                ".insightface/models/buffalo_l/w600k_r50.onnx",
            ),
            package="insightface",
        ),
        Model(
            name="arcface_r100",
            kind="embedder",
            licence=_RESEARCH,
            commercial=False,
            source="insightface, pack antelopev2: glintr100",
            input=_ARCFACE_INPUT,
            measured=False,
            weights=Weights(
                "glintr100.onnx",
                260665334,
                "4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf",
                f"{_INSIGHTFACE}/antelopev2.zip",
                "glintr100.onnx",
                ".insightface/models/antelopev2/glintr100.onnx",
            ),
            package="insightface",
        ),
        Model(
            name="arcface_mbf",
            kind="embedder",
            licence=_RESEARCH,
            commercial=False,
            source="insightface, pack buffalo_s: w600k_mbf",
            input=_ARCFACE_INPUT,
            measured=False,
            weights=Weights(
                "w600k_mbf.onnx",
                13616099,
                "9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f",
                f"{_INSIGHTFACE}/buffalo_s.zip",
                "w600k_mbf.onnx",
                ".insightface/models/buffalo_s/w600k_mbf.onnx",
            ),
            package="insightface",
        ),
        Model(
            name="facenet512",
            kind="embedder",
            licence="MIT (deepface)",
            commercial=True,
            source="serengil/deepface, Facenet512",
            input=f"160×160, {_DEEPFACE_INPUT}",
            measured=False,
            weights=Weights(
                "facenet512_weights.onnx",
                0,
                "",
                f"{_DEEPFACE}/facenet512_weights.onnx",
                "",
                ".deepface/weights/facenet512_weights.onnx",
            ),
            package="deepface",
        ),
        Model(
            name="vggface",
            kind="embedder",
            licence="VGG-Face descriptor: non-commercial research only (CC BY-NC)",
            commercial=False,
            source="serengil/deepface, VGG-Face",
            input=f"224×224, {_DEEPFACE_INPUT}",
            measured=False,
            weights=Weights(
                "vgg_face_weights.onnx",
                0,
                "",
                f"{_DEEPFACE}/vgg_face_weights.onnx",
                "",
                ".deepface/weights/vgg_face_weights.onnx",
            ),
            package="deepface",
        ),
        Model(
            name="inception_resnet",
            kind="embedder",
            licence="MIT (facenet-pytorch)",
            commercial=True,
            source="timesler/facenet-pytorch, InceptionResnetV1 on VGGFace2; made by tools/export_inception_resnet",
            input="160×160, the box itself, RGB, (x − 127.5) / 128",
            measured=False,
            weights=Weights("inception_resnet_v1_vggface2.onnx", 0, ""),
        ),
        Model(
            name="sface",
            kind="embedder",
            licence="Apache-2.0 (OpenCV zoo)",
            commercial=True,
            source="opencv_zoo, face_recognition_sface",
            input="112×112, five points aligned, RGB 0..255",
            measured=False,
            weights=Weights(
                "face_recognition_sface_2021dec.onnx",
                38696353,
                "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
                f"{_ZOO}/face_recognition_sface/face_recognition_sface_2021dec.onnx",
            ),
        ),
    )
}

FAMILIES = {
    "scrfd": ("scrfd_10g", "scrfd_500m", "scrfd_2.5g"),
    "retinaface": ("retinaface_r50", "retinaface_mnet"),
    "arcface": ("arcface_r50", "arcface_r100", "arcface_mbf"),
    "facenet": ("facenet512",),
    "vgg-face": ("vggface",),
    "dlib": ("dlib_resnet",),
}
"""A family's name stands for the first of its models whose weights are here."""
