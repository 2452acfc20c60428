"""Text for LaTeX: every character that it reads as a command comes out as itself."""

from __future__ import annotations

import re

__all__ = ["escape_latex"]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "\u2212": r"$-$",
    "\u2013": r"--",
    "\u221e": r"$\infty$",
    "²": r"$^2$",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "√": r"$\surd$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "χ": r"$\chi$",
    "λ": r"$\lambda$",
    "μ": r"$\mu$",
    "σ": r"$\sigma$",
    "\n": " ",
    "\t": " ",
}


def escape_latex(text: object) -> str:
    r"""Return text that LaTeX typesets as it stands.

    Examples
    --------
    >>> print(escape_latex("R&D_100%"))
    R\&D\_100\%
    """
    return "".join(_LATEX.get(c, c) for c in _CONTROL.sub("", str(text)))
