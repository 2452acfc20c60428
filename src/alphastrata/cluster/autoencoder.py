"""The autoencoder as a scikit-learn transformer: torch trains it, a compiled kernel applies it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from alphastrata.cluster.bounds import require_network, require_number, require_whole
from alphastrata.core.checks import Violations
from alphastrata.errors import ConfigError, InputDataError

__all__ = ["Autoencoder", "apply_layers"]

Array = NDArray[np.float64]
Layers = list[tuple[NDArray[np.float32], NDArray[np.float32]]]

_CODES = {"linear": 0, "relu": 1, "leaky_relu": 2, "elu": 3, "gelu": 4, "tanh": 5}
_CODES |= {"sigmoid": 6, "silu": 7}


@njit(cache=True, nogil=True)
def _activate(x: float, code: int) -> float:
    if code == 1:
        return x if x > 0.0 else 0.0
    if code == 2:
        return x if x > 0.0 else 0.01 * x
    if code == 3:
        return x if x > 0.0 else math.expm1(x)
    if code == 4:
        return 0.5 * x * (1.0 + math.erf(x / math.sqrt(2.0)))
    if code == 5:
        return math.tanh(x)
    if code == 6:
        return 1.0 / (1.0 + math.exp(-x))
    if code == 7:
        return x / (1.0 + math.exp(-x))
    return x


@njit(cache=True, nogil=True)
def _dense(X: Array, weight: Array, bias: Array, code: int) -> Array:
    """Return act(X W + b). Each row is summed in the same order whichever rows stand beside it."""
    n, n_in = X.shape
    n_out = weight.shape[1]
    out = np.empty((n, n_out))
    for i in range(n):
        row = out[i]
        for j in range(n_out):
            row[j] = bias[j]
        for k in range(n_in):
            x = X[i, k]
            for j in range(n_out):
                row[j] += x * weight[k, j]
        if code:
            for j in range(n_out):
                row[j] = _activate(row[j], code)
    return out


def apply_layers(X: Array, layers: Layers, activation: str) -> Array:
    """Return what the layers make of ``X`` (rows x inputs): rows x outputs, the last one linear.

    A matrix product of a BLAS library may sum a row in another order when other rows stand
    beside it; this kernel does not, so that the result of a row is the same to the last bit.
    """
    out = np.ascontiguousarray(X, dtype=np.float64)
    for k, (weight, bias) in enumerate(layers):
        code = _CODES[activation] if k < len(layers) - 1 else 0
        out = _dense(out, weight.astype(np.float64), bias.astype(np.float64), code)
    return out


def _plain(value: Any) -> Any:
    """Return a number of numpy's, as scikit-learn's grids hand them on, as one of Python's."""
    return value.item()


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Compress rows to a few latent numbers from which a network can restore them.

    The encoder has layers of the ``hidden`` widths and a linear latent layer, the decoder is its
    mirror image; the loss is the mean squared error of the reconstruction. Standardise the
    columns first. Missing values are refused.

    Parameters
    ----------
    hidden : tuple of int
        Widths of the hidden layers of the encoder, from the input on; their number is the depth.
    latent_dim : int
        Number of latent coordinates.
    activation : {"relu", "leaky_relu", "elu", "gelu", "tanh", "sigmoid", "silu"}
        Activation of the hidden layers.
    optimizer : {"adam", "adamw", "sgd", "rmsprop", "lbfgs"}
        Optimiser. "sgd" has momentum 0.9; "lbfgs" works on all rows at once, ten inner iterations
        an epoch.
    learning_rate : float
        Step size.
    batch_size : int or "auto"
        Rows per mini-batch; "auto" is a 64th of the rows, at least 256 and at most 1024.
    epochs : int
        Largest number of passes through the training rows.
    patience : int
        Stop after so many epochs without a smaller error on the held-out rows and keep the best
        weights; 0 trains on all rows to the last epoch.
    validation_fraction : float
        Part of the rows held out for early stopping, in [0, 1).
    noise : float
        Standard deviation of the Gaussian noise added to the input in training (denoising).
    weight_decay : float
        Weight decay of the optimiser.
    device : str
        "auto" (a GPU if there is one), "cpu" or "cuda".
    warm_start : bool
        Go on from the present weights when fitted again on as many columns.
    random_state : int, RandomState instance or None
        Seed. The same seed gives the same bits on the same kind of machine.

    Attributes
    ----------
    encoder_, decoder_ : list of (weight, bias)
        The layers as float32 arrays, (inputs x outputs) and (outputs,).
    log_ : DataFrame, columns epoch, train, held_out
        Mean loss of each epoch, on the training rows and on the rows held out.
    best_epoch_ : int
        The epoch whose weights were kept.
    device_ : str
        Where it was trained.

    Notes
    -----
    ``transform`` evaluates the network in a compiled kernel in float64: what it returns for a row
    does not depend, not even in the last bit, on which rows come with it.

    References
    ----------
    Hinton, G. and Salakhutdinov, R. (2006), "Reducing the dimensionality of data with neural
    networks", Science 313. Vincent, P. et al. (2008), "Extracting and composing robust features
    with denoising autoencoders", ICML.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 5))
    >>> Autoencoder(latent_dim=2, epochs=3, random_state=0).fit_transform(X).shape
    (200, 2)
    """

    def __init__(
        self,
        *,
        hidden: tuple[int, ...] = (64, 32),
        latent_dim: int = 8,
        activation: str = "relu",
        optimizer: str = "adam",
        learning_rate: float = 3e-3,
        batch_size: int | Literal["auto"] = "auto",
        epochs: int = 60,
        patience: int = 10,
        validation_fraction: float = 0.1,
        noise: float = 0.0,
        weight_decay: float = 0.0,
        device: str = "auto",
        warm_start: bool = False,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.latent_dim = latent_dim
        self.activation = activation
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.noise = noise
        self.weight_decay = weight_decay
        self.device = device
        self.warm_start = warm_start
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Train on ``X`` (rows x columns).

        Raises
        ------
        ConfigError
            If a setting is outside its range; all of them are named together.
        EstimationError
            If the loss stops being a finite number; the epoch is named.
        """
        # torch takes more than a second to import, and only training needs it.
        from alphastrata.cluster.training import Recipe, initial_layers, train

        self._check_settings()
        values = np.asarray(validate_data(self, X, dtype=np.float64))
        # RandomState draws, and not the seed itself, so that an instance works as well.
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        encoder, decoder = self._start(values.shape[1], seed, initial_layers)
        settings = {name: getattr(self, name) for name in Recipe.__dataclass_fields__}
        if self.batch_size == "auto":
            settings["batch_size"] = min(max(len(values) // 64, 256), 1024)
        recipe = Recipe(**settings)
        trained = train(values.astype(np.float32), recipe, encoder, decoder, seed=seed)
        self.encoder_: Layers = trained.encoder
        self.decoder_: Layers = trained.decoder
        self.log_ = pd.DataFrame(trained.log, columns=["epoch", "train", "held_out"])
        self.best_epoch_ = trained.best_epoch
        self.device_ = trained.device
        return self

    def transform(self, X: ArrayLike) -> Array:
        """Return the latent coordinates (rows x latent_dim) of ``X`` (rows x columns)."""
        check_is_fitted(self, "encoder_")
        values = np.asarray(validate_data(self, X, reset=False, dtype=np.float64))
        return apply_layers(values, self.encoder_, self.activation)

    def inverse_transform(self, X: ArrayLike) -> Array:
        """Return the reconstruction (rows x columns) of latent coordinates (rows x latent_dim)."""
        check_is_fitted(self, "decoder_")
        return apply_layers(np.asarray(X, dtype=np.float64), self.decoder_, self.activation)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Return minus the mean squared error of the reconstruction of ``X``; larger is better."""
        restored = self.inverse_transform(self.transform(X))
        return -float(np.mean((restored - np.asarray(X, dtype=np.float64)) ** 2))

    def save(self, folder: str | Path) -> None:
        """Write the weights (safetensors) and the settings (JSON) into ``folder``."""
        from safetensors.numpy import save_file

        check_is_fitted(self, "encoder_")
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        tensors = {
            f"{half}.{k}.{part}": np.ascontiguousarray(array)
            for half, layers in (("encoder", self.encoder_), ("decoder", self.decoder_))
            for k, layer in enumerate(layers)
            for part, array in zip(("weight", "bias"), layer, strict=True)
        }
        names = getattr(self, "feature_names_in_", None)
        settings = {
            "params": self.get_params() | {"random_state": self._plain_seed()},
            "n_features": self.n_features_in_,
            "features": None if names is None else [str(name) for name in names],
            "best_epoch": self.best_epoch_,
            "device": self.device_,
            "log": self.log_.astype(object).where(self.log_.notna(), None).to_numpy().tolist(),
        }
        save_file(tensors, target / "weights.safetensors")
        (target / "settings.json").write_text(json.dumps(settings, indent=1, default=_plain))

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Return the fitted autoencoder that ``save`` wrote into ``folder``.

        Raises
        ------
        InputDataError
            If one of the two files is missing.
        """
        from safetensors.numpy import load_file

        source = Path(folder)
        for name in ("settings.json", "weights.safetensors"):
            if not (source / name).is_file():
                raise InputDataError(f"A saved autoencoder needs {name}; {source} has none.")
        settings = json.loads((source / "settings.json").read_text())
        tensors = load_file(source / "weights.safetensors")
        params = settings["params"]
        model = cls(**(params | {"hidden": tuple(params["hidden"])}))
        for half in ("encoder", "decoder"):
            n = sum(key.startswith(f"{half}.") for key in tensors) // 2
            pairs = [(tensors[f"{half}.{k}.weight"], tensors[f"{half}.{k}.bias"]) for k in range(n)]
            setattr(model, f"{half}_", pairs)
        model.n_features_in_ = settings["n_features"]
        if settings["features"] is not None:
            model.feature_names_in_ = np.asarray(settings["features"], dtype=object)
        model.best_epoch_ = settings["best_epoch"]
        model.device_ = settings["device"]
        model.log_ = pd.DataFrame(settings["log"], columns=["epoch", "train", "held_out"]).astype(
            {"epoch": "int64", "train": "float64", "held_out": "float64"}
        )
        return model

    def _start(self, n_features: int, seed: int, initial_layers: Any) -> tuple[Layers, Layers]:
        """Return the layers to start from: the present ones, or random ones."""
        import torch

        widths = [n_features, *self.hidden, self.latent_dim]
        old: Layers | None = getattr(self, "encoder_", None) if self.warm_start else None
        if old is not None and [len(old[0][0]), *(w.shape[1] for w, _ in old)] == widths:
            return old, self.decoder_
        generator = torch.Generator().manual_seed(seed)
        return initial_layers(widths, generator), initial_layers(widths[::-1], generator)

    def _plain_seed(self) -> int | None:
        seed = self.random_state
        return int(seed) if isinstance(seed, (int, np.integer)) else None

    def _check_settings(self) -> None:
        from alphastrata.cluster.training import ACTIVATIONS, OPTIMIZERS

        check = Violations("the autoencoder's settings")
        check.require(
            self.activation in ACTIVATIONS,
            f"activation must be one of {sorted(ACTIVATIONS)}",
            first=repr(self.activation),
        )
        check.require(
            self.optimizer in OPTIMIZERS,
            f"optimizer must be one of {OPTIMIZERS}",
            first=repr(self.optimizer),
        )
        require_network(check, self)
        require_whole(check, self, 1, "latent_dim", "epochs")
        require_whole(check, self, 0, "patience")
        if self.batch_size != "auto":
            require_whole(check, self, 1, "batch_size")
        for name in ("noise", "weight_decay"):
            require_number(check, self, name, 0)
        require_number(check, self, "validation_fraction", 0, below=1)
        require_number(check, self, "learning_rate", 0, strict=True)
        check.raise_if_any(ConfigError)

    @property
    def _n_features_out(self) -> int:
        return self.latent_dim
