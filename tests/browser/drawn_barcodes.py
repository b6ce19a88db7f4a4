"""Bar codes as pictures a camera may take: turned, blurred, in poor light. And a film of one for the fake camera.

The modules were drawn by an independent encoder; dark ones are 1.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

MODULES: dict[tuple[str, str], str] = {
    ("ean_13", "4901234567894"):
        "10100010110100111001100100100110100001001110101010100111010100001000100100100011101001011100101",
    ("ean_8", "49123456"): "1010100011000101100110010010011010101000010101110010011101010000101",
    ("code_128", "MEMBER-00482"):
        "11010010000101110110001000110100010111011000100010110001000110100011000101110100110111001001110110010111"
        "0111101001000110010010011110100011011101100011101011",
    ("code_128", "9912345678"):
        "110100111001011101111010110011100100010110001110001011011000010100100111001101100011101011",
    ("code_39", "77001234"):
        "10010110110101010010110110101001011011010100110110101010011011010110100101011010110010101101101100101010"
        "1010011010110100101101101",
    ("codabar", "A2900481B"):
        "10110010010101001011011010010101010100110101010011010110100101001101010101011001010010010110",
}  # fmt: skip
SIZE = (640, 480)
PAPER, INK = 225, 35


def picture(
    modules: str,
    *,
    module: float = 4.0,
    angle: float = 0.0,
    blur: float = 0.0,
    noise: int = 0,
    shade: int = 0,
    size: tuple[int, int] = SIZE,
    seed: int = 1,
) -> Image.Image:
    """A card with the code in the middle: ``module`` pixels wide each, turned by ``angle`` degrees, ``shade`` darker on
    its right than on its left.
    """
    card = Image.new("L", (round((len(modules) + 24) * module * 2), 300), PAPER)
    draw = ImageDraw.Draw(card)
    for place, one in enumerate(modules):
        if one == "1":
            left = (place + 12) * module * 2
            draw.rectangle((left, 30, left + module * 2 - 1, 270), fill=INK)
    card = card.resize((card.width // 2, card.height // 2), Image.Resampling.BOX)
    view = Image.new("L", size, 150)
    turned = Image.new("L", size, 150)
    view.paste(card, ((size[0] - card.width) // 2, (size[1] - card.height) // 2))
    turned.paste(view.rotate(angle, Image.Resampling.BICUBIC, fillcolor=150))
    if blur:
        turned = turned.filter(ImageFilter.GaussianBlur(blur))
    light = 1 - shade / 100 * np.linspace(0, 1, size[0])
    grain = np.random.default_rng(seed).normal(0, noise, (size[1], size[0])) if noise else 0.0
    return Image.fromarray(np.clip(np.asarray(turned, float) * light + grain, 0, 255).astype(np.uint8))


def stripes(seed: int) -> Image.Image:
    """A picture without a code that looks like one: stripes of random widths, as on a shirt or a shelf."""
    random, view = Random(seed), Image.new("L", SIZE, PAPER)
    draw, x = ImageDraw.Draw(view), random.randint(10, 60)
    while x < SIZE[0] - 60:
        width = random.choice((3, 4, 6, 8, 9, 12))
        draw.rectangle((x, 0, x + width - 1, SIZE[1]), fill=INK)
        x += width + random.choice((3, 4, 6, 8, 9, 12))
    return view


def film(place: Path, still: Image.Image, frames: int = 10) -> Path:
    """The picture as an uncompressed film (YUV4MPEG2), which Chromium plays as its camera."""
    width, height = still.size
    grey = still.convert("L").tobytes()
    colour = bytes([128]) * (width // 2 * (height // 2) * 2)
    with place.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode())
        for _ in range(frames):
            file.write(b"FRAME\n" + grey + colour)
    return place
