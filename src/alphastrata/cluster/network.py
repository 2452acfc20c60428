"""The autoencoder's network in torch, with its gradient written out.

All weights lie in one flat tensor, so that the optimiser has one parameter to step, and the
gradient goes straight into its place: at these sizes the bookkeeping of automatic
differentiation and of a dozen parameters costs as much as the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from numpy.typing import NDArray

__all__ = ["ACTIVATIONS", "Error", "Network"]

Error = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "elu": torch.nn.functional.elu,
    "gelu": torch.nn.functional.gelu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "silu": torch.nn.functional.silu,
}

_aten: Any = torch.ops.aten

_SLOPES: dict[str, Callable[[torch.Tensor, torch.Tensor, torch.Tensor], Any]] = {
    # (gradient of the output, input, output) -> gradient of the input
    "relu": lambda g, x, y: _aten.threshold_backward(g, x, 0.0),
    "leaky_relu": lambda g, x, y: _aten.leaky_relu_backward(g, x, 0.01, False),
    "elu": lambda g, x, y: _aten.elu_backward(g, 1.0, 1.0, 1.0, False, x),
    "gelu": lambda g, x, y: _aten.gelu_backward(g, x),
    "tanh": lambda g, x, y: _aten.tanh_backward(g, y),
    "sigmoid": lambda g, x, y: _aten.sigmoid_backward(g, y),
    "silu": lambda g, x, y: _aten.silu_backward(g, x),
}


class Network:
    """An encoder and a decoder of dense layers, and the error of the reconstruction.

    Parameters
    ----------
    encoder, decoder : list of (weight, bias)
        Arrays (inputs x outputs) and (outputs,); the last layer of each half is linear.
    activation : str
        Activation of the other layers.
    device : str
        "cpu" or "cuda".
    error : callable
        Makes one number of reconstruction and target.
    """

    def __init__(
        self, encoder: Any, decoder: Any, *, activation: str, device: str, error: Error
    ) -> None:
        layers = [*encoder, *decoder]
        self.linear = (len(encoder) - 1, len(layers) - 1)
        self.n_encoder = len(encoder)
        self.error = error
        self.activate, self.slope = ACTIVATIONS[activation], _SLOPES[activation]
        self.shapes = [array.shape for layer in layers for array in layer]
        # Copied into torch's own aligned memory: alignment can change the last bits.
        parts = [torch.tensor(a, dtype=torch.float32).ravel() for layer in layers for a in layer]
        self.flat = torch.cat(parts).to(device)
        self.flat.grad = torch.zeros_like(self.flat)
        self.weights = self._views(self.flat)
        self.gradients = self._views(self.flat.grad)

    def _views(self, flat: torch.Tensor) -> list[torch.Tensor]:
        ends = [0]
        for shape in self.shapes:
            size = shape[0] * shape[1] if len(shape) == 2 else shape[0]
            ends.append(ends[-1] + size)
        spans = zip(pairwise(ends), self.shapes, strict=True)
        return [flat[low:high].view(shape) for (low, high), shape in spans]

    @torch.no_grad()
    def loss(self, noisy: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the error of what is restored from ``noisy``."""
        return self.error(self._forward(noisy)[0], target)

    @torch.no_grad()
    def descend(self, noisy: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the error, and leave its gradient in ``flat.grad``."""
        restored, inputs, outputs = self._forward(noisy)
        loss, gradient = self._output_gradient(restored, target)
        for k in range(len(inputs) - 1, -1, -1):
            if k not in self.linear:
                after = inputs[k + 1]
                gradient = self.slope(gradient, outputs[k], after)
            torch.mm(inputs[k].t(), gradient, out=self.gradients[2 * k])
            torch.sum(gradient, 0, out=self.gradients[2 * k + 1])
            if k:
                gradient = gradient @ self.weights[2 * k].t()
        return loss

    def _forward(
        self, x: torch.Tensor
    ) -> tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor]]:
        """Return the reconstruction, and each layer's input and output before activation."""
        inputs, outputs = [], []
        for k in range(len(self.weights) // 2):
            inputs.append(x)
            x = torch.addmm(self.weights[2 * k + 1], x, self.weights[2 * k])
            outputs.append(x)
            if k not in self.linear:
                x = self.activate(x)
        return x, inputs, outputs

    def _output_gradient(
        self, restored: torch.Tensor, target: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if self.error is torch.nn.functional.mse_loss:
            gap = restored - target
            return (gap * gap).mean(), gap * (2.0 / gap.numel())
        with torch.enable_grad():
            leaf = restored.detach().requires_grad_()
            loss = self.error(leaf, target)
            (gradient,) = torch.autograd.grad(loss, leaf)
        return loss.detach(), gradient

    def snapshot(self) -> torch.Tensor:
        """Return a copy of all weights."""
        return self.flat.clone()

    def layers(self, flat: torch.Tensor) -> tuple[Any, Any]:
        """Return encoder and decoder as arrays from a snapshot."""
        arrays: list[NDArray[Any]] = [view.cpu().numpy().copy() for view in self._views(flat)]
        pairs = list(zip(arrays[::2], arrays[1::2], strict=True))
        return pairs[: self.n_encoder], pairs[self.n_encoder :]
