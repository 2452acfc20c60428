"""Parts of a section: figures with their numbers, parts that open, and clusterings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
from markupsafe import Markup

from alphastrata.report.charts.chart import Chart
from alphastrata.report.records import HowComputed, Plot, Table, need_columns

__all__ = ["ClusterSection", "Figure", "Fold", "Membership", "Part", "frames_of"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Figure:
    """A chart or a drawing, with the frame that a reader can download.

    Parameters
    ----------
    chart : Chart, optional
    markup : Markup
        SVG, where there is no chart; it scrolls where it is wider than the page.
    title, caption : str
        Of a drawing; a chart brings its own.
    frame : DataFrame, optional
        What it was drawn from.
    how : mapping of name to HowComputed
    """

    chart: Chart | None = None
    markup: Markup = field(default_factory=Markup)
    title: str = ""
    caption: str = ""
    frame: pd.DataFrame | None = None
    how: Mapping[str, HowComputed] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Fold:
    """Parts under a heading that opens and closes.

    Parameters
    ----------
    title : str
    parts : sequence of str, Table, Plot, Chart, Figure, Fold or ClusterSection
    gist : str
        What it says, beside the heading, in a few words that also a closed part shows.
    open : bool
        Whether it is open at first.
    """

    title: str
    parts: Sequence[Part | ClusterSection] = ()
    gist: str = ""
    open: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Membership:
    """Who belongs to which cluster through time.

    Parameters
    ----------
    sizes : DataFrame
        Index: formation date. Columns: cluster (int). Values: number of assets.
    flows : DataFrame, optional
        Columns ``date_from``, ``date_to`` (neighbouring formation dates), ``cluster_from``,
        ``cluster_to`` (int; 0 = not classified then: enters or leaves) and ``count`` (assets).
    events : DataFrame, optional
        Columns ``date``, ``event`` (str: "birth", "death", "split", "merge"), ``cluster`` (int)
        and, if wanted, ``detail`` (str).
    """

    sizes: pd.DataFrame
    flows: pd.DataFrame | None = None
    events: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        flow = ["date_from", "date_to", "cluster_from", "cluster_to", "count"]
        need_columns("Membership.flows", self.flows, flow)
        need_columns("Membership.events", self.events, ["date", "event", "cluster"])


@dataclass(frozen=True, kw_only=True, eq=False)
class ClusterSection:
    """One clustering: how good, what it found, who is in it, how it looks.

    Parameters
    ----------
    title : str
        Name of the clustering ("deep").
    names : mapping of cluster to str
        Names of the clusters; a cluster without a name is shown by its number.
    scores : DataFrame, optional
        Long: ``date`` (formation date), ``metric`` (str: "silhouette", "davies_bouldin",
        "calinski_harabasz", ...), ``space`` (str: "input", "latent" or "embedding"), ``source``
        (str: "data" for the data, otherwise the name of the null: "permuted columns",
        "Gaussian copula", "one factor") and ``score`` (float). A null may have several rows per
        date: its line is their mean. The noise band is drawn from the lowest to the highest score
        of all nulls at a date.
    profiles : DataFrame, optional
        Index: cluster (int). Columns: characteristics. Values: mean of the members in
        cross-sectional standard deviations. Drawn as a heat map.
    membership : Membership, optional
    embeddings : DataFrame, optional
        Long: ``date`` (formation date), ``asset`` (str), ``cluster`` (int), ``x``, ``y`` and, for
        the map in 3-D, ``z`` (float), or ``x3``, ``y3``, ``z3`` where that is a map of its own.
        ``date`` may be text, for maps of no date ("with autoencoder"). Every further numeric column
        is a characteristic shown when the pointer is on a point (keep to five or fewer).
    tables : sequence of Table
    parts : sequence of str, Table, Plot, Chart, Figure or Fold
        What explains the clusters, after everything else.
    how : mapping of metric, column or figure to HowComputed
    about : HowComputed, optional
        How the numbers of this section came to be that have no entry of their own.
    """

    title: str = "Clusters"
    names: Mapping[int, str] = field(default_factory=dict)
    scores: pd.DataFrame | None = None
    profiles: pd.DataFrame | None = None
    membership: Membership | None = None
    embeddings: pd.DataFrame | None = None
    tables: Sequence[Table] = ()
    parts: Sequence[Part] = ()
    how: Mapping[str, HowComputed] = field(default_factory=dict)
    about: HowComputed | None = None

    def __post_init__(self) -> None:
        score = ["date", "metric", "space", "source", "score"]
        need_columns("ClusterSection.scores", self.scores, score)
        place = ["date", "asset", "cluster", "x", "y"]
        need_columns("ClusterSection.embeddings", self.embeddings, place)


Part = str | Table | Plot | Chart | Figure | Fold


def frames_of(parts: Sequence[object], under: str = "") -> Iterator[tuple[str, Table]]:
    """Yield the tables of parts with their titles, also those that figures were drawn from.

    Parameters
    ----------
    parts : sequence
        Those that hold no table are passed over.
    under : str
        Before every title.

    Examples
    --------
    >>> fold = Fold(title="Tree", parts=[Table(title="Rules", frame=pd.DataFrame({"a": [1]}))])
    >>> [title for title, _ in frames_of([fold], "CLU")]
    ['CLU Tree Rules']
    """
    for part in parts:
        if isinstance(part, Fold):
            yield from frames_of(part.parts, f"{under} {part.title}".strip())
        elif isinstance(part, Table):
            yield f"{under} {part.title}".strip(), part
        elif isinstance(part, Plot):
            yield f"{under} {part.title}".strip(), Table(title=part.title, frame=part.frame)
        elif isinstance(part, Figure) and part.frame is not None:
            title = part.title or (part.chart.title if part.chart is not None else "figure")
            yield f"{under} {title}".strip(), Table(title=title, frame=part.frame)
