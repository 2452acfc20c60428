"""The settings of clusterings: which estimator, on which windows, held against what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from itertools import product
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from alphastrata.core.faults import Fault, Place, SettingError, refuse
from alphastrata.core.refusals import faults_of
from alphastrata.study.settings.data import Day, Name, Section
from alphastrata.study.settings.explanations import ExplainConfig
from alphastrata.study.settings.sorts import TRAILING, HoldingConfig

__all__ = [
    "ChecksConfig",
    "ClusterConfig",
    "EstimatorConfig",
    "NetworkConfig",
    "TuneConfig",
    "tuned_settings",
]

# Keys of the network that each method reads.
AUTOENCODER: tuple[str, ...] = (
    *("hidden", "activation", "optimizer", "learning_rate", "batch_size", "epochs", "patience"),
    *("validation_fraction", "noise", "weight_decay", "device"),
)
REFINED = ("hidden", "pretrain_epochs", "epochs", "learning_rate", "batch_size", "tol", "device")
# Keys of the steps that only a pipeline has.
STEPS = (
    *("autoencoder", "embedding", "embedding_dim", "perplexity", "neighbors", "schedule"),
    *("clusterer", "min_cluster_size"),
)


class NetworkConfig(Section):
    """The network of the autoencoder, or of DEC, IDEC and VaDE; what is not said is its default.

    ``hidden`` are the widths of the encoder's hidden layers, and their number its depth.
    ``patience`` and ``validation_fraction`` stop early, ``noise`` makes a denoising autoencoder.
    ``pretrain_epochs``, ``tol`` (all three) and ``gamma`` (IDEC) are for methods that go on from a
    pretrained network.
    """

    hidden: tuple[int, ...] | None = Field(default=None, min_length=1, max_length=8)
    activation: Literal["relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid", "silu"] | None = (
        None
    )
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop", "lbfgs"] | None = None
    learning_rate: float | None = Field(default=None, gt=0, le=10)
    batch_size: int | None = Field(default=None, ge=1)
    epochs: int | None = Field(default=None, ge=1, le=100_000)
    patience: int | None = Field(default=None, ge=0)
    validation_fraction: float | None = Field(default=None, ge=0, lt=1)
    noise: float | None = Field(default=None, ge=0)
    weight_decay: float | None = Field(default=None, ge=0)
    pretrain_epochs: int | None = Field(default=None, ge=1, le=100_000)
    tol: float | None = Field(default=None, ge=0, lt=1)
    gamma: float | None = Field(default=None, ge=0)
    device: Literal["auto", "cpu", "cuda"] | None = None

    @field_validator("hidden")
    @classmethod
    def _positive(cls, value: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if value is not None and min(value) < 1:
            raise ValueError(f"widths are whole numbers of at least 1; got {list(value)}")
        return value

    @property
    def said(self) -> dict[str, Any]:
        """Return what is said, by key."""
        return {k: v for k, v in self if v is not None}


class EstimatorConfig(Section):
    """What divides the assets of one cross-section.

    ``method`` "pipeline" is autoencoder, map and clusterer, each of which can be left out or
    exchanged; "dec", "idec" and "vade" learn a latent space and the clusters in it at once.
    """

    method: Literal["pipeline", "dec", "idec", "vade"] = "pipeline"
    n_clusters: int | None = Field(default=None, ge=2, le=50)
    latent_dim: int | None = Field(default=None, ge=1, le=64)
    autoencoder: bool | None = None
    embedding: Literal["tsne", "isomap", "umap", "none"] | None = None
    embedding_dim: Literal[2, 3] | None = None
    perplexity: float | None = Field(default=None, ge=2, le=1_000)
    neighbors: int | None = Field(default=None, ge=2, le=1_000)
    schedule: Literal["usual", "short"] | None = None
    clusterer: Literal["kmeans", "spectral", "gmm", "hdbscan"] | None = None
    min_cluster_size: int | None = Field(default=None, ge=2)
    network: NetworkConfig = NetworkConfig()

    @property
    def said(self) -> dict[str, Any]:
        """Return what is said of the estimator, by key, the network's keys among the others."""
        own = (key for key in EstimatorConfig.model_fields if key != "network")
        found = {key: getattr(self, key) for key in own}
        return {k: v for k, v in found.items() if v is not None} | self.network.said

    @model_validator(mode="after")
    def _possible(self) -> Self:
        faults = [Fault(_place_of(key), why) for key, why in misplaced(self.said)]
        if self.embedding == "umap" and find_spec("umap") is None:
            said = (
                '"umap" needs the package umap-learn: pip install "alphastrata[customers]", or '
                'take "isomap"'
            )
            faults.append(Fault(("embedding",), said))
        refuse(faults)
        return self


def _place_of(key: str) -> Place:
    """Return where a key of an estimator stands: in its table, or in that of its network."""
    return ("network", key) if key in NetworkConfig.model_fields else (key,)


def misplaced(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each key that can have no effect beside the others, and why, with a remedy."""
    method = said.get("method", "pipeline")
    network = [key for key in NetworkConfig.model_fields if key in said]
    if method != "pipeline":
        for key in STEPS:
            if key in said:
                yield (
                    key,
                    f"{method} learns its latent space and its clusters at once and has no such "
                    'step; drop it, or take method = "pipeline"',
                )
        reads = (*REFINED, "gamma") if method == "idec" else REFINED
        yield from _unread(network, reads, f'method = "{method}"')
        return
    yield from _unread(network, AUTOENCODER, 'method = "pipeline"')
    embedding, clusterer = said.get("embedding", "tsne"), said.get("clusterer", "kmeans")
    for keys, fits, needs in (
        (("latent_dim", *network), said.get("autoencoder", True), "autoencoder = true"),
        (("embedding_dim",), embedding != "none", "an embedding"),
        (("perplexity", "schedule"), embedding == "tsne", 'embedding = "tsne"'),
        (("neighbors",), embedding in ("isomap", "umap"), 'embedding = "isomap" or "umap"'),
        (("min_cluster_size",), clusterer == "hdbscan", 'clusterer = "hdbscan"'),
    ):
        yield from ((k, f"only with {needs}") for k in keys if k in said and not fits)
    if clusterer == "hdbscan" and "n_clusters" in said:
        yield (
            "n_clusters",
            "HDBSCAN finds its own number of clusters; drop it and say min_cluster_size, or take "
            "another clusterer",
        )


def _unread(network: list[str], reads: tuple[str, ...], what: str) -> Iterator[tuple[str, str]]:
    for key in network:
        if key not in reads:
            yield key, f"not with {what}, whose network has {', '.join(reads)}"


class ChecksConfig(Section):
    """What else is asked of a clustering, on its last cross-section; each takes its time.

    ``null_test`` names the nulls that the whole pipeline is run on, ``draws`` times each; true is
    all of them.
    """

    null_test: tuple[Literal["permute", "copula", "one_factor"], ...] = ()
    purge: bool = False
    stability: bool = False
    choose_k: tuple[int, ...] = ()
    draws: int = Field(default=19, ge=5, le=999)

    @field_validator("null_test", mode="before")
    @classmethod
    def _all_nulls(cls, value: object) -> object:
        if isinstance(value, bool):
            return ("permute", "copula", "one_factor") if value else ()
        return value

    @field_validator("choose_k")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if list(value) != sorted(set(value)) or (value and value[0] < 2):
            raise ValueError(f"numbers of clusters ascend from at least 2; got {list(value)}")
        return value

    @model_validator(mode="after")
    def _can_reject(self) -> Self:
        if self.null_test and self.draws < 19:
            said = (
                f"with {self.draws} draws no p-value is below {1 / (self.draws + 1):.2f}; "
                "null_test needs draws = 19 or more"
            )
            refuse([Fault(("draws",), said)])
        return self


class ClusterConfig(HoldingConfig, EstimatorConfig):
    """One deep clustering, rolled over windows.

    ``train`` "pooled" has scaler and network learn from all dates of the window, "formation" from
    its last one; ``expanding`` keeps the first date, so that windows grow.

    ``rank_by`` says which cluster is long: the highest mean of a characteristic, or of its own last
    twelve returns known ("trailing:12"). ``dummies`` reports what each cluster earned over the mean
    one.
    """

    name: Name
    features: tuple[str, ...] = Field(min_length=2)
    start: Literal["cold", "warm", "frozen", "map"] = "cold"
    train: Literal["pooled", "formation"] = "pooled"
    window: int = Field(default=36, ge=1)
    step: int = Field(default=12, ge=1)
    expanding: bool = False
    rank_by: str
    dummies: bool = False
    nulls: int = Field(default=1, ge=0, le=100)
    checks: ChecksConfig = ChecksConfig()
    explain: ExplainConfig = ExplainConfig()

    @property
    def ranks(self) -> str | None:
        """The characteristic that ranks the clusters; None where their own returns do."""
        return None if self.rank_by.startswith(TRAILING) else self.rank_by

    @field_validator("features")
    @classmethod
    def _different(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        twice = [name for k, name in enumerate(value) if name in value[:k]]
        if twice:
            raise ValueError(f"{twice[0]!r} is named twice; name each characteristic once")
        return value

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns that rank the clusters and weigh their members."""
        return tuple(name for name in (self.ranks, self.weigh_by) if name is not None)

    @model_validator(mode="after")
    def _starts(self) -> ClusterConfig:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        """Yield what windows cannot start from, and checks that have nothing to check."""
        start: Place = ("start",)
        if self.method != "pipeline" and self.start != "cold":
            yield Fault(
                start,
                f'"{self.start}" goes on from the window before, and {self.method} learns '
                'anew in every window; take start = "cold", or method = "pipeline"',
            )
        elif self.start == "warm" and self.autoencoder is False:
            yield Fault(
                start,
                '"warm" goes on from the autoencoder of the window before, and there is '
                'none; take start = "cold", or autoencoder = true',
            )
        elif self.start == "map" and self.embedding not in (None, "tsne"):
            yield Fault(
                start,
                '"map" goes on from the t-SNE map of the window before; take embedding = '
                '"tsne", or another start',
            )
        if self.checks.choose_k and self.clusterer == "hdbscan":
            yield Fault(
                ("checks", "choose_k"),
                "HDBSCAN finds its own number of clusters; drop it, or take another clusterer",
            )


class TuneConfig(Section):
    """A search over the settings of one clustering, on one date.

    ``grid`` has a list of values for each key of [[clusters]] or [clusters.network] that is
    varied; several [[tune.grid]] tables are searched one after another. The date is the first
    formation date of the clustering, unless another is said.
    """

    grid: tuple[dict[str, tuple[Any, ...]], ...] = Field(min_length=1)
    clusters: Name | None = None
    date: Day | None = None
    search: Literal["grid", "random"] = "grid"
    n_iter: int | None = Field(default=None, ge=1, le=10_000)
    score: Literal["silhouette", "davies_bouldin", "calinski_harabasz"] = "silhouette"
    space: Literal["input", "embedding"] = "input"
    folds: int = Field(default=3, ge=2, le=20)
    seeds: int = Field(default=3, ge=1, le=100)

    @field_validator("grid", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, Mapping) else value

    @model_validator(mode="after")
    def _consistent(self) -> TuneConfig:
        keys = [k for k in EstimatorConfig.model_fields if k != "network"]
        known = [*keys, *NetworkConfig.model_fields]
        listed = ", ".join(known)
        faults = []
        for number, table in enumerate(self.grid):
            place: Place = ("grid", number)
            if not table:
                said = "a list of values for each key that is varied, as in n_clusters = [4, 6]"
                faults.append(Fault(place, said))
            for key, values in table.items():
                if key not in known:
                    faults.append(Fault((*place, key), f"no such key; there are {listed}"))
                elif not values:
                    faults.append(Fault((*place, key), "a list of values to try; it is empty"))
        if (self.search == "random") != (self.n_iter is not None):
            said = 'search = "random" draws n_iter settings: say both, or neither for all of them'
            faults.append(Fault(("search",), said))
        refuse(faults)
        return self


def tuned_settings(tune: TuneConfig, base: ClusterConfig) -> list[tuple[dict[str, Any], Any]]:
    """Return every setting of the grid: what varies, and the estimator that it makes.

    What the clustering says and a setting makes void (the perplexity, where the map is Isomap's)
    is dropped; what the grid itself says is not.

    Raises
    ------
    SettingError
        For a setting that is out of range or impossible; it is named.
    """
    out = []
    for number, table in enumerate(tune.grid):
        for values in product(*table.values()):
            point = dict(zip(table, values, strict=True))
            said = {**base.said, **point}
            for key, _ in list(misplaced(said)):
                if key not in point:
                    said.pop(key, None)
            network = {k: said.pop(k) for k in list(said) if k in NetworkConfig.model_fields}
            try:
                estimator = EstimatorConfig.model_validate({**said, "network": network})
            except ValidationError as error:
                first = faults_of(error.errors(include_url=False), EstimatorConfig)[0]
                shown = ", ".join(f"{k} = {v!r}" for k, v in point.items())
                why = (
                    f"the setting {shown} is wrong: {first}; what does not go together stands in "
                    "[[tune.grid]] tables of its own"
                )
                place: Place = ("grid", number)
                varied = [key for key in first.place[-1:] if key in point]
                raise SettingError([Fault((*place, *varied), why)]) from error
            out.append((point, estimator))
    return out
