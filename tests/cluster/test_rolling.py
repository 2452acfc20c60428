"""Rolling clusters: no look-ahead, identities, scripted events, workers, stores."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.impute import SimpleImputer
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from alphastrata.cluster import RollingOptions, deep_clusterer, rolling
from alphastrata.cluster import store as store_module
from alphastrata.core.panel import Panel
from alphastrata.core.windows import RollingWindows
from alphastrata.errors import (
    CacheCorruptError,
    ConfigError,
    EstimationError,
    InputDataError,
)


def market(n=120, d=5, periods=8, k=3, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    means = 4.0 * rng.normal(size=(k, d))
    index = pd.MultiIndex.from_product(
        [pd.date_range("2010-01-31", periods=periods, freq="ME"), [f"A{i:03d}" for i in range(n)]],
        names=["date", "asset"],
    )
    X = np.vstack([means[labels] + rng.normal(size=(n, d)) for _ in range(periods)])
    X[rng.random(X.shape) < 0.02] = np.nan
    frame = pd.DataFrame(X, index=index, columns=[f"f{i}" for i in range(d)])
    return frame[rng.random(len(frame)) < 0.97], labels


def truth_of(strata, labels):
    return labels[[int(a[1:]) for a in strata.labels.index.get_level_values("asset")]]


def tiny(**settings):
    return deep_clusterer(n_clusters=3, latent_dim=3, schedule="short", **settings).set_params(
        autoencoder__epochs=10
    )


@pytest.fixture(scope="module")
def panel():
    return Panel(market()[0])


@pytest.fixture(scope="module")
def base(panel):
    return rolling(tiny(), panel, RollingWindows(4, 2))


def test_finds_planted_clusters_and_keeps_their_identity(base):
    _, labels = market()
    found = base.strata.labels.astype(int)
    assert adjusted_rand_score(truth_of(base.strata, labels), found) > 0.95
    assert (base.turnover() < 0.03).all()
    assert base.events.empty
    assert not base.strata.ordered
    assert base.strata.n == 3
    assert "Autoencoder -> TSNE -> KMeans" in base.strata.source


def test_tables_have_their_shape(base, panel):
    dates = panel.dates[[3, 5, 7]]
    assert base.scores.index.equals(dates.rename("date"))
    for space in ("input", "latent", "embedding"):
        assert base.scores[f"silhouette_{space}"].between(0.2, 1).all()
    assert (base.scores["imputed"] > 0).all()
    assert list(base.embeddings) == ["date", "asset", "x", "y"]
    assert len(base.embeddings) == base.scores["n_assets"].sum() == len(base.strata)
    assert base.profiles.index.names == ["date", "cluster"]
    first = base.profiles.loc[(dates[0], 1), ("mean", "f0")]
    members = base.strata.labels.loc[dates[0]] == 1
    assert first == pytest.approx(panel.at(dates[0])["f0"][members[members].index].mean())
    np.testing.assert_allclose(base.transition_matrix().sum(axis=1), 1.0)
    assert base.tenure().between(2, 3).all()
    assert "3 windows, 3 clusters" in repr(base)
    assert [note.stage for note in base.notes] == ["cluster"]


def same(a, b):
    pd.testing.assert_series_equal(a.strata.labels, b.strata.labels, check_exact=True)
    pd.testing.assert_frame_equal(a.scores, b.scores, check_exact=True)
    pd.testing.assert_frame_equal(a.embeddings, b.embeddings, check_exact=True)


def test_row_order_changes_nothing(base):
    frame, _ = market()
    shuffled = Panel(frame.sample(frac=1.0, random_state=0))
    same(base, rolling(tiny(), shuffled, RollingWindows(4, 2)))


def test_number_of_workers_changes_nothing(base, panel):
    done = []
    two = rolling(tiny(), panel, RollingWindows(4, 2), n_jobs=2, progress=lambda *a: done.append(a))
    same(base, two)
    assert done == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("start", ["cold", "warm", "frozen", "map"])
@pytest.mark.parametrize("train", ["pooled", "formation"])
def test_the_future_is_not_looked_at(start, train):
    frame, _ = market()
    panel = Panel(frame)
    cut = panel.dates[5]
    broken = frame.copy()
    broken[broken.index.get_level_values("date") > cut] = 99.0
    # Corrupted dates stay distinct enough to be clustered.
    broken += np.arange(len(broken))[:, None] * (broken == 99.0)
    options = RollingOptions(start=start)
    windows = RollingWindows(4, 2)
    one = rolling(tiny(), panel, windows, train=train, options=options)
    two = rolling(tiny(), Panel(broken), windows, train=train, options=options)
    a, b = one.strata.between(None, cut), two.strata.between(None, cut)
    pd.testing.assert_series_equal(a.labels, b.labels, check_exact=True)
    pd.testing.assert_frame_equal(one.scores[:2], two.scores[:2], check_exact=True)
    assert len(a.dates) == 2


@pytest.mark.parametrize("start", ["warm", "frozen", "map"])
def test_other_starts_agree_with_the_truth(panel, start):
    _, labels = market()
    found = rolling(tiny(), panel, RollingWindows(4, 2), options=RollingOptions(start=start))
    score = adjusted_rand_score(truth_of(found.strata, labels), found.strata.labels.astype(int))
    assert score > 0.9


def test_frozen_windows_share_one_encoder(panel):
    options = RollingOptions(start="frozen")
    one = rolling(tiny(), panel, RollingWindows(4, 2), options=options)
    two = rolling(tiny(), panel, RollingWindows(4, 2), options=options, n_jobs=2)
    same(one, two)


def test_any_clusterer_works(panel):
    _, labels = market()
    for model in (
        KMeans(3, n_init=5, random_state=0),
        make_pipeline(SimpleImputer(), StandardScaler(), KMeans(3, n_init=5, random_state=0)),
        tiny(clusterer="gaussian_mixture"),
        deep_clusterer(n_clusters=3, autoencoder=False, embedding=None),
    ):
        found = rolling(model, panel, RollingWindows(4, 2))
        score = adjusted_rand_score(truth_of(found.strata, labels), found.strata.labels.astype(int))
        assert score > 0.9
        assert {"x", "y"} <= set(found.embeddings)


def test_memberships_travel_under_the_identities(panel):
    found = rolling(tiny(clusterer="gaussian_mixture"), panel, RollingWindows(4, 2))
    chances = found.strata.probabilities
    np.testing.assert_allclose(chances.sum(axis=1), 1.0)
    most = chances.to_numpy().argmax(axis=1) + 1
    assert (most == found.strata.labels.astype(int)).all()
    assert rolling(tiny(), panel, RollingWindows(4, 2)).strata.probabilities is None


def test_the_model_is_not_changed(panel):
    model = tiny()
    before = repr(model.get_params())
    rolling(model, panel, RollingWindows(4, 2))
    assert repr(model.get_params()) == before
    assert not hasattr(model.named_steps["autoencoder"], "encoder_")


def count_fits(monkeypatch):
    """Return a list that grows by the name of every window that is fitted from now on."""
    fitted, real = [], store_module.fit_window

    def fit(task, carry):
        fitted.append(task.name)
        return real(task, carry)

    monkeypatch.setattr(store_module, "fit_window", fit)
    return fitted


def test_interrupted_runs_go_on_from_the_store(panel, tmp_path, monkeypatch):
    for start in ("cold", "warm"):
        options = RollingOptions(start=start, store=tmp_path / start)
        plain = rolling(tiny(), panel, RollingWindows(4, 2), options=RollingOptions(start=start))

        def stop(done, total):
            if done == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            rolling(tiny(), panel, RollingWindows(4, 2), options=options, progress=stop)
        assert len(list((tmp_path / start).glob("*.npz"))) == 2
        fitted = count_fits(monkeypatch)
        same(plain, rolling(tiny(), panel, RollingWindows(4, 2), options=options))
        assert len(fitted) == 1
        monkeypatch.undo()
    other = RollingOptions(store=tmp_path / "cold")
    rolling(tiny(random_state=1), panel, RollingWindows(4, 2), options=other)
    assert len(list((tmp_path / "cold").glob("*.npz"))) == 6


def test_windows_without_enough_assets_are_skipped_with_a_note():
    frame, _ = market()
    dates = frame.index.get_level_values("date")
    frame = frame[(dates != dates[0]) | (frame.index.get_level_values("asset") < "A010")]
    found = rolling(KMeans(3, n_init=1, random_state=0), Panel(frame), RollingWindows(1, 7))
    assert len(found.scores) == 1
    assert str(found.notes[0]).startswith("window with fewer than 30 usable assets: 1 of 2 skipped")
    with pytest.raises(EstimationError, match="none of 8"):
        rolling(
            KMeans(3), Panel(frame), RollingWindows(1), options=RollingOptions(min_assets=10_000)
        )


def test_empty_features_and_empty_rows_are_reported():
    frame, _ = market()
    frame = frame.assign(void=np.nan)
    frame.iloc[:10, :5] = np.nan
    found = rolling(tiny(), Panel(frame), RollingWindows(1, 4))
    assert (found.scores["n_features"] == 5).all()
    text = " | ".join(map(str, found.notes))
    assert "more than 50% of its features missing: 10" in text
    assert "void" in text


def test_wrong_arguments_are_refused(panel):
    with pytest.raises(ConfigError, match="clusterer"):
        rolling(StandardScaler(), panel, RollingWindows(4))
    with pytest.raises(ConfigError, match="train"):
        rolling(tiny(), panel, RollingWindows(4), train="future")
    with pytest.raises(InputDataError, match="nothing"):
        rolling(tiny(), panel, RollingWindows(4), features=["nothing"])
    with pytest.raises(ConfigError, match="start"):
        RollingOptions(start="lukewarm")


def test_a_failing_window_is_named(panel):
    model = tiny().set_params(autoencoder__optimizer="sgd", autoencoder__learning_rate=1e9)
    with pytest.raises(EstimationError, match=r"Window 2010-04-30: .* at epoch"):
        rolling(model, panel, RollingWindows(4, 2))


def scripted(seed=0):
    """Ten months: a birth at 3, a split at 5, a merge at 7, a death at 9 (counted from 0)."""
    rng = np.random.default_rng(seed)
    place = {"a": (0, 0), "b": (20, 0), "c": (0, 20), "d": (20, 20), "e": (40, 40), "f": (40, 0)}
    group = np.repeat(list("abcd"), 60)
    rows = []
    for t in range(10):
        if t == 3:
            group = np.append(group, np.repeat("e", 50))
        if t == 5:
            group[60:85] = "f"
        if t == 7:
            group[group == "c"] = "a"
        alive = group != "d" if t >= 9 else np.ones(len(group), dtype=bool)
        for i in np.flatnonzero(alive):
            x, y = place[group[i]]
            date = pd.Timestamp("2010-01-31") + pd.offsets.MonthEnd(t)
            rows.append((date, f"A{i:03d}", group[i], x + rng.normal(), y + rng.normal()))
    return pd.DataFrame(rows, columns=["date", "asset", "truth", "x", "y"])


@pytest.mark.parametrize(("deep", "start"), [(False, "cold"), (True, "cold"), (True, "warm")])
def test_scripted_events_are_found_at_their_dates(deep, start):
    data = scripted()
    model = make_pipeline(StandardScaler(), HDBSCAN(min_cluster_size=12, copy=True))
    if deep:
        model = deep_clusterer(latent_dim=2, clusterer="hdbscan", embedding=None)
        # What its signed logarithm brings back to clusters of one width.
        data[["x", "y"]] = np.sign(data[["x", "y"]]) * np.expm1(data[["x", "y"]].abs() / 10)
    panel = Panel(data.drop(columns="truth"))
    options = RollingOptions(start=start)
    found = rolling(model, panel, RollingWindows(1), train="formation", options=options)
    labels = found.strata.labels
    truth = data.set_index(["date", "asset"])["truth"].reindex(labels.index)
    by_date = [
        adjusted_rand_score(truth.loc[d], labels.loc[d].astype(int)) for d in found.strata.dates
    ]
    assert np.mean(by_date) >= 0.9
    month = {date: t for t, date in enumerate(panel.dates)}
    events = [(month[e.date], e.event) for e in found.events.itertuples()]
    assert events == [(3, "birth"), (5, "split"), (7, "merge"), (9, "death")]


def test_what_is_not_there_cannot_be_gone_on_from(panel):
    plain = make_pipeline(StandardScaler(), KMeans(3, n_init=1, random_state=0))
    for start, kind in (("warm", "Autoencoder"), ("map", "TSNE")):
        with pytest.raises(ConfigError, match=f"the {kind} of the window before"):
            rolling(plain, panel, RollingWindows(4), options=RollingOptions(start=start))


def test_features_are_a_list_of_different_columns(panel):
    first, second = panel.columns[:2]
    with pytest.raises(ConfigError, match=f"1 of 3 are named again. First: '{first}'"):
        rolling(tiny(), panel, RollingWindows(4), features=[first, second, first])
    with pytest.raises(ConfigError, match="list of columns"):
        rolling(tiny(), panel, RollingWindows(4), features=first)


@pytest.mark.parametrize("odd", [KMeans, "kmeans", None])
def test_what_is_no_clusterer_is_refused(panel, odd):
    with pytest.raises(ConfigError, match="must be a clusterer"):
        rolling(odd, panel, RollingWindows(4))


def test_tables_without_a_row_have_their_types(panel):
    first = panel.dates[:4]
    one = rolling(tiny(), panel.between(first[0], first[-1]), RollingWindows(4))
    assert not len(one.events)
    assert not len(one.transitions)
    for table in (one.events, one.transitions):
        assert table["date"].dtype == "datetime64[ns]"
        assert table.drop(columns="date").select_dtypes("number").dtypes.eq("int64").all()


def test_windows_ascend(panel):
    windows = RollingWindows(4, 2).split(panel.dates)
    for wrong in (windows[::-1], [windows[0], windows[0]]):
        with pytest.raises(ConfigError, match="Windows ascend by formation date"):
            rolling(tiny(), panel, wrong)


@pytest.mark.parametrize("bytes_", [b"", b"no window at all"])
def test_a_stored_window_that_cannot_be_read_is_named(panel, tmp_path, bytes_):
    options = RollingOptions(store=tmp_path)
    plain = make_pipeline(StandardScaler(), KMeans(3, n_init=1, random_state=0))
    rolling(plain, panel, RollingWindows(4, 4), options=options)
    file = sorted(tmp_path.glob("*.npz"))[0]
    file.write_bytes(bytes_)
    with pytest.raises(CacheCorruptError, match=file.name):
        rolling(plain, panel, RollingWindows(4, 4), options=options)
