"""Windows by every method: networks that cluster, noise, seeds side by side, and the tables."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from alphastrata.cluster import (
    RollingOptions,
    deep_clusterer,
    rolling,
    rolling_many,
    rolling_scores,
)
from alphastrata.core.panel import Panel
from alphastrata.core.windows import RollingWindows
from alphastrata.errors import ConfigError, EstimationError

WINDOWS = RollingWindows(4, 2)
NETWORK = {"hidden": (16,), "pretrain_epochs": 15, "epochs": 10}


def market(n=120, d=5, periods=8, k=3, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    means = 4.0 * rng.normal(size=(k, d))
    index = pd.MultiIndex.from_product(
        [pd.date_range("2010-01-31", periods=periods, freq="ME"), [f"A{i:03d}" for i in range(n)]],
        names=["date", "asset"],
    )
    X = np.vstack([means[labels] + rng.normal(size=(n, d)) for _ in range(periods)])
    frame = pd.DataFrame(X, index=index, columns=[f"f{i}" for i in range(d)])
    return frame[rng.random(len(frame)) < 0.97], labels


@pytest.fixture(scope="module")
def panel():
    return Panel(market()[0])


def network(name, **settings):
    model = deep_clusterer(
        n_clusters=3, latent_dim=3, autoencoder=False, embedding=None, clusterer=name
    )
    return model.set_params(**{f"cluster__{k}": v for k, v in (NETWORK | settings).items()})


def short(**settings):
    model = deep_clusterer(n_clusters=3, latent_dim=3, schedule="short", **settings)
    return model.set_params(autoencoder__epochs=8)


def same(a, b):
    pd.testing.assert_series_equal(a.strata.labels, b.strata.labels, check_exact=True)
    pd.testing.assert_frame_equal(a.scores, b.scores, check_exact=True)
    pd.testing.assert_frame_equal(a.embeddings, b.embeddings, check_exact=True)


@pytest.mark.parametrize("train", ["pooled", "formation"])
@pytest.mark.parametrize("name", ["dec", "idec", "vade"])
def test_networks_that_cluster_are_rolled(panel, name, train):
    _, truth = market()
    found = rolling(network(name), panel, WINDOWS, train=train)
    labels = found.strata.labels.astype(int)
    true = truth[[int(a[1:]) for a in labels.index.get_level_values("asset")]]
    assert adjusted_rand_score(true, labels) > 0.8
    np.testing.assert_allclose(found.strata.probabilities.sum(axis=1), 1.0)
    assert list(found.embeddings)[2:] == ["x", "y", "z"]  # three latent coordinates, drawn as such
    assert found.scores["epochs"].between(1, 10).all()
    assert found.scores["trustworthiness"].isna().all()


def test_a_network_learns_from_the_pooled_window_alone_and_assigns_the_cross_section(panel):
    frame, _ = market()
    cut = panel.dates[5]
    changed = frame.copy()
    changed[changed.index.get_level_values("date") > cut] *= -3.0
    one, two = (rolling(network("dec"), Panel(f), WINDOWS) for f in (frame, changed))
    pd.testing.assert_frame_equal(one.scores[:2], two.scores[:2], check_exact=True)
    earlier = frame.copy()
    earlier[earlier.index.get_level_values("date") == panel.dates[2]] *= 1.5
    other = rolling(network("dec"), Panel(earlier), RollingWindows(4, 8))
    assert other.scores["loss"].iloc[0] != one.scores["loss"].iloc[0]
    alone = [
        rolling(network("dec"), Panel(f), RollingWindows(4, 8), train="formation")
        for f in (frame, earlier)
    ]
    assert alone[0].scores["loss"].iloc[0] == alone[1].scores["loss"].iloc[0]


def test_a_network_that_fails_names_window_and_epoch(panel):
    broken = network("dec", learning_rate=1e20, tol=0.0)
    with pytest.raises(EstimationError, match=r"Window 2010-04-30: .* at epoch \d+ of 10"):
        rolling(broken, panel, WINDOWS)


@pytest.mark.parametrize("start", ["warm", "frozen", "map"])
def test_networks_that_cluster_start_cold(panel, start):
    with pytest.raises(ConfigError, match='start must be "cold"'):
        rolling(network("vade"), panel, WINDOWS, options=RollingOptions(start=start))


def test_impossible_pipelines_are_refused():
    with pytest.raises(ConfigError, match="autoencoder=False, embedding=None"):
        deep_clusterer(clusterer="dec")
    with pytest.raises(ConfigError, match="embedding_dim must be 2 or 3"):
        deep_clusterer(embedding=None, embedding_dim=2)


@pytest.mark.parametrize("embedding", ["tsne", "isomap"])
@pytest.mark.parametrize("dims", [2, 3])
def test_maps_have_the_dimensions_that_are_asked_for(panel, embedding, dims):
    model = short(embedding=embedding, embedding_dim=dims)
    found = rolling(model, panel, RollingWindows(4, 8))
    assert list(found.embeddings) == ["date", "asset", "x", "y", "z"][: 2 + dims]


def with_strays(seed=0):
    """Two clusters, and every tenth asset far from both and from one another."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product(
        [pd.date_range("2010-01-31", periods=4, freq="ME"), range(100)], names=["date", "asset"]
    )
    X = np.tile(np.repeat([[0.0, 0.0], [20.0, 0.0]], 50, axis=0), (4, 1))
    X = X + 0.5 * rng.normal(size=X.shape)
    stray = index.get_level_values("asset") % 10 == 0
    X[stray] = rng.uniform(-90, 90, size=(int(stray.sum()), 2)) + [0, 200]
    return pd.DataFrame(X, index=index, columns=["a", "b"]), stray


def test_noise_stays_unclassified_and_is_counted():
    frame, stray = with_strays()
    model = deep_clusterer(autoencoder=False, embedding=None, clusterer="hdbscan")
    found = rolling(model, frame, RollingWindows(1))
    wide = found.strata.wide()
    strays = list(range(0, 100, 10))
    assert wide[wide.columns.intersection(strays)].isna().to_numpy().all()
    assert found.scores["n_noise"].sum() == stray.sum()
    classified = found.strata.sizes().to_numpy().sum()
    assert classified == len(frame) - stray.sum()
    (note,) = (n for n in found.notes if "noise" in n.rule)
    assert (note.count, note.of, note.action) == (stray.sum(), 400, "left unclassified")
    # Who is noise is nobody's member on the way: 0 in the transitions, in no matrix, no turnover.
    assert found.transitions.query("origin == 0")["count"].sum() == 30
    assert found.transition_matrix().index.tolist() == [1, 2]
    assert (found.turnover() == 0).all()


def test_scores_of_windows_without_a_cluster_are_missing_and_not_an_error():
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product(
        [pd.to_datetime(["2010-01-31", "2010-02-28"]), range(60)], names=["date", "asset"]
    )
    noise = pd.DataFrame(rng.normal(size=(120, 6)), index=index, columns=list("abcdef"))
    model = deep_clusterer(autoencoder=False, embedding=None, clusterer="hdbscan")
    model.set_params(cluster__min_cluster_size=30)
    with pytest.raises(EstimationError, match="called every asset noise"):
        rolling(model, noise, RollingWindows(1))
    scores = rolling_scores(model, noise, RollingWindows(1))
    assert (scores["n_noise"] == 60).all()
    assert scores["silhouette_input"].isna().all()


def test_scores_alone_are_those_of_the_whole(panel):
    whole = rolling(short(), panel, WINDOWS)
    pd.testing.assert_frame_equal(
        whole.scores, rolling_scores(short(), panel, WINDOWS), check_exact=True
    )


def test_a_window_that_is_all_noise_ends_every_cluster_and_the_next_begins_anew():
    rng = np.random.default_rng(0)
    dates = pd.date_range("2010-01-31", periods=3, freq="ME")
    index = pd.MultiIndex.from_product([dates, range(60)], names=["date", "asset"])
    X = np.tile(np.repeat([[0.0] * 6, [30.0] * 6], 30, axis=0), (3, 1)) + rng.normal(size=(180, 6))
    X[60:120] = rng.normal(size=(60, 6))
    frame = pd.DataFrame(X, index=index, columns=list("abcdef"))
    model = make_pipeline(StandardScaler(), HDBSCAN(min_cluster_size=25, copy=True))
    found = rolling(model, frame, RollingWindows(1), train="formation")
    assert found.scores["n_clusters"].tolist() == [2, 0, 2]
    happened = [(str(e.date.date())[:7], e.event) for e in found.events.itertuples()]
    assert happened == [("2010-02", "death")] * 2 + [("2010-03", "birth")] * 2
    assert found.strata.n == 4
    assert (
        list(found.strata.dates) == [dates[0], dates[2]]
        or found.strata.wide().loc[dates[1]].isna().all()
    )


class Renumbered(ClusterMixin, BaseEstimator):
    """K-means that numbers its clusters otherwise for every data set."""

    def __init__(self, n_clusters=3):
        self.n_clusters = n_clusters

    def fit(self, X, y=None):
        self.inner_ = KMeans(self.n_clusters, n_init=5, random_state=0).fit(X)
        seed = int(abs(X).sum() * 1e6) % 2**31
        self.order_ = np.random.default_rng(seed).permutation(self.n_clusters)
        self.labels_ = self.order_[self.inner_.labels_]
        return self

    def predict(self, X):
        return self.order_[self.inner_.predict(X)]


def test_how_a_clusterer_numbers_its_clusters_changes_nothing(panel):
    plain = make_pipeline(StandardScaler(), KMeans(3, n_init=5, random_state=0))
    other = make_pipeline(StandardScaler(), Renumbered(3))
    one, two = (rolling(model, panel, RollingWindows(1)) for model in (plain, other))
    pd.testing.assert_series_equal(one.strata.labels, two.strata.labels)
    pd.testing.assert_frame_equal(one.transitions, two.transitions)
    pd.testing.assert_frame_equal(one.events, two.events)


def test_transitions_turnover_and_tenure_are_those_counted_by_hand():
    # Two clusters far apart; a quarter of the first moves to the second in March and stays.
    index = pd.MultiIndex.from_product(
        [pd.date_range("2010-01-31", periods=4, freq="ME"), range(80)], names=["date", "asset"]
    )
    rng = np.random.default_rng(0)
    group = np.tile(np.repeat([0, 1], 40), 4)
    march = index.get_level_values("date") >= "2010-03-01"
    group[march & (index.get_level_values("asset") < 10)] = 1
    frame = pd.DataFrame({"a": 20.0 * group + rng.normal(size=320)}, index=index)
    found = rolling(KMeans(2, n_init=3, random_state=0), frame, RollingWindows(1))
    wide = found.strata.wide().astype(int)
    counts = np.zeros((2, 2))
    moved, both = {}, {}
    for before, after in zip(wide.index[:-1], wide.index[1:], strict=True):
        for a, b in zip(wide.loc[before], wide.loc[after], strict=True):
            counts[a - 1, b - 1] += 1
        moved[after] = (wide.loc[before] != wide.loc[after]).sum()
        both[after] = len(wide.columns)
    shares = counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.transition_matrix().to_numpy(), shares)
    assert found.turnover().to_dict() == {d: moved[d] / both[d] for d in moved}
    assert found.turnover().iloc[1] == pytest.approx(10 / 80)
    # 40 stay for four windows in one cluster; of the other 40, 30 do, and 10 for two and two.
    first, second = wide.loc[wide.index[0], 0], wide.loc[wide.index[0], 79]
    assert found.tenure()[first] == pytest.approx((30 * 4 + 10 * 2) / 40)
    assert found.tenure()[second] == pytest.approx((40 * 4 + 10 * 2) / 50)


@pytest.mark.parametrize("start", ["cold", "warm"])
def test_seeds_and_settings_run_side_by_side_and_come_out_alike(panel, start, tmp_path):
    models = {
        "a": short(random_state=0),
        "b": short(random_state=1),
        "isomap": short(embedding="isomap"),
    }
    options = RollingOptions(start=start, store=tmp_path)
    told = []
    two = rolling_many(
        models, panel, WINDOWS, n_jobs=2, options=options, progress=lambda *n: told.append(n)
    )
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert list(two) == list(models)
    plain = RollingOptions(start=start)
    for name, model in models.items():
        same(two[name], rolling(model, panel, WINDOWS, options=plain))
    assert len(list(tmp_path.glob("*.npz"))) == 9
    with pytest.raises(ConfigError, match="at least one model"):
        rolling_many({}, panel, WINDOWS)
