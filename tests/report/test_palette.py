"""Colours stay apart to colour-blind eyes (Machado, Oliveira and Fernandes 2009, severity 1)."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from alphastrata.report.palette import COLOURS, MARKS, UNCLASSIFIED, colour, mark, plotly_mark

EYES = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# Ottosson (2020), OKLab.
LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(text: str) -> np.ndarray:
    values = np.array([int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def seen(text: str, eye: str) -> np.ndarray:
    return LAB @ np.cbrt(LMS @ np.clip(EYES[eye] @ linear(text), 0, 1))


@pytest.mark.parametrize("eye", list(EYES))
def test_any_two_clusters_look_different(eye: str) -> None:
    gaps = [np.linalg.norm(seen(a, eye) - seen(b, eye)) for a, b in combinations(COLOURS, 2)]
    assert min(gaps) > 0.085


def test_colours_show_on_paper_and_on_a_dark_ground() -> None:
    light, dark = 1.0, float(linear("#121519") @ [0.2126, 0.7152, 0.0722])
    for text in COLOURS:
        luminance = float(linear(text) @ [0.2126, 0.7152, 0.0722])
        assert (light + 0.05) / (luminance + 0.05) > 2.0
        assert (luminance + 0.05) / (dark + 0.05) > 2.0


def test_clusters_beyond_the_tenth_have_another_mark() -> None:
    looks = {(colour(c), mark(c)) for c in range(1, 71)}
    assert len(looks) == 70
    assert plotly_mark(1) == MARKS[0][1]
    assert colour(0) == UNCLASSIFIED
