"""Blur and resize a picture: image in, image out."""

import tempfile

from cog import BaseRunner, Input, Path
from PIL import Image, ImageFilter, ImageOps


class Runner(BaseRunner):
    """Gaussian blur with Pillow."""

    def run(
        self,
        image: Path = Input(description="The picture", accept="image/*"),
        radius: float = Input(
            description="Radius of the blur in pixels", default=8.0, ge=0, le=100
        ),
        scale: float = Input(description="Resize by this factor", default=1.0, ge=0.05, le=4),
    ) -> Path:
        """Return the resized and blurred picture as a PNG file."""
        # exif_transpose: a phone's photo is stored sideways with a note that says so.
        with Image.open(image) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
        print(f"read {picture.width}x{picture.height} pixels")
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        blurred = picture.resize(size).filter(ImageFilter.GaussianBlur(radius))
        result = Path(tempfile.mkdtemp()) / "blurred.png"
        blurred.save(result)
        return result
