"""The language models: sizes and costs by hand, the published formulas, what each place of a window sees."""

import pytest

pytest.importorskip("torch", reason="needs the extra `calibrate`")

import torch

from calibrate.models.lstm import LSTM
from calibrate.models.rhn import RHN
from calibrate.models.transformer import Transformer
from calibrate.training.flops import forward_flops, trainable

pytestmark = pytest.mark.torch

LAYERS, WINDOW, DEPTH = 4, 64, 10
BUILD = {
    "lstm2": lambda h, v: LSTM(h, v, layers=2),
    "lstm4": lambda h, v: LSTM(h, v, layers=4),
    "rhn": lambda h, v: RHN(h, v, depth=DEPTH),
    "transformer": lambda h, v: Transformer(h, v, layers=LAYERS, window=WINDOW),
}
PARAMETERS = {
    "lstm2": lambda h, v: 16 * h**2 + 2 * h * v + 8 * h + v,
    "lstm4": lambda h, v: 32 * h**2 + 2 * h * v + 16 * h + v,
    "rhn": lambda h, v: 22 * h**2 + 2 * h * v + 20 * h + v,
    "transformer": lambda h, v: LAYERS * (12 * h**2 + 13 * h) + WINDOW * h + 2 * h + 2 * h * v + v,
}
# forward FLOP a symbol: two for each weight that is multiplied, and attention over the whole window
FORWARD = {
    "lstm2": lambda h, v: 32 * h**2 + 2 * h * v,
    "lstm4": lambda h, v: 64 * h**2 + 2 * h * v,
    "rhn": lambda h, v: 44 * h**2 + 2 * h * v,
    "transformer": lambda h, v: LAYERS * (24 * h**2 + 4 * WINDOW * h) + 2 * h * v,
}


@pytest.mark.parametrize("family", BUILD)
@pytest.mark.parametrize(("width", "symbols"), [(1, 2), (48, 97), (333, 5000)])
def test_parameters_have_a_closed_form(family: str, width: int, symbols: int) -> None:
    with torch.device("meta"):
        model = BUILD[family](width, symbols)
    assert trainable(model) == PARAMETERS[family](width, symbols)


@pytest.mark.parametrize(
    ("family", "width", "symbols", "printed"),
    [("lstm2", 2004, 10_004, 104_378_326), ("rhn", 2004, 98, 88_785_316)],
)
def test_parameters_are_those_of_the_published_models(
    family: str, width: int, symbols: int, printed: int
) -> None:
    """Catamount (git 4591f79) asserts 2 more, of ResNet-18 too: scalars of its graph, no weights."""
    with torch.device("meta"):
        model = BUILD[family](width, symbols)
    assert trainable(model) == printed - 2


@pytest.mark.parametrize("family", BUILD)
@pytest.mark.parametrize(("width", "symbols"), [(16, 97), (128, 5000)])
def test_counted_flop_agree_with_the_closed_form(family: str, width: int, symbols: int) -> None:
    with torch.device("meta"):
        model = BUILD[family](width, symbols)
        counted = forward_flops(model, torch.zeros(3, WINDOW, dtype=torch.long))
    assert counted == pytest.approx(3 * WINDOW * FORWARD[family](width, symbols), rel=0.01)


@pytest.mark.parametrize("family", BUILD)
def test_a_place_sees_itself_and_all_of_its_past_and_nothing_else(family: str) -> None:
    torch.manual_seed(0)
    model = BUILD[family](16, 30).double()
    window = torch.randint(30, (2, WINDOW))
    before = model(window)
    for changed in (0, 20, WINDOW - 1):
        other = window.clone()
        other[0, changed] = (other[0, changed] + 1) % 30
        moved = (model(other) - before).abs().amax(2) > 0
        assert not moved[1].any()
        assert not moved[0, :changed].any()
        assert moved[0, changed : changed + 8].all()


def test_a_recurrent_highway_layer_is_what_its_equations_say() -> None:
    torch.manual_seed(0)
    model = RHN(5, 7, depth=3).double()
    window = torch.randint(7, (2, 4))
    state = torch.zeros(2, 5, dtype=torch.double)
    for t in range(4):
        x = model.embedding.weight[window[:, t]]
        for depth, layer in enumerate(model.recurrent):
            pre = state @ layer.weight.T + layer.bias
            if depth == 0:
                pre = pre + x @ model.input.weight.T
            h, gate = torch.tanh(pre[:, :5]), torch.sigmoid(pre[:, 5:])
            state = h * gate + state * (1 - gate)
        scores = state @ model.output.weight.T + model.output.bias
        assert torch.allclose(scores, model(window)[:, t])


@pytest.mark.parametrize("family", BUILD)
def test_half_precision_changes_little(family: str) -> None:
    torch.manual_seed(0)
    model = BUILD[family](64, 30)
    window = torch.randint(30, (4, WINDOW))
    with torch.no_grad():
        exact = model(window)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rounded = model(window).float()
    assert float((rounded - exact).square().mean().sqrt()) < 0.01 * float(exact.std())


def test_the_second_bias_of_a_gate_stays_at_zero() -> None:
    model = LSTM(8, 5, layers=2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.randint(5, (2, 6))).square().mean().backward()
        optimizer.step()
    assert not model.recurrent.bias_hh_l0.any()
    assert model.recurrent.bias_ih_l0.any()


@pytest.mark.parametrize("family", BUILD)
def test_scores_begin_close_to_even(family: str) -> None:
    torch.manual_seed(0)
    scores = BUILD[family](64, 100)(torch.randint(100, (4, WINDOW)))
    loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), torch.randint(100, (4 * WINDOW,)))
    assert float(loss.detach()) == pytest.approx(torch.tensor(100.0).log().item(), rel=0.1)
