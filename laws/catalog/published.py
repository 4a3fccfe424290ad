"""Evaluate laws of the literature: constants with source, range and confidence, and plain functions.

`published.json` has the constants; no text in it is ever run: a law names one of `FORMULAS`. Laws whose
coefficient was not published have no formula and answer only ratio questions, such as how much more data
halves the error. Pure Python, so that using one imports nothing heavy. Inputs and results are in base units:
where a paper counts PF-days or millions, `Input.per` and `PublishedLaw.scale` convert.
"""

import functools
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from laws.errors import InputError, LawError, UnknownName, run

Confidence = Literal["exact", "secondary", "derived", "uncertain"]
_CONFIDENCE: tuple[Confidence, ...] = ("exact", "derived", "secondary", "uncertain")  # best first
P = Mapping[str, float]


def power(p: P, x: float) -> float:
    """Return alpha·x^beta (Hestness et al. 2017, arXiv:1712.00409, and many others).

    Args:
        p: The constants alpha and beta, by name.
        x: The input in the paper's unit, such as data or FLOP.

    Returns:
        The value in the paper's unit (`PublishedLaw.scale` converts it).
    """
    return float(p["alpha"] * x ** p["beta"])


def power_of_ratio(p: P, x: float) -> float:
    """Return floor + (x0/x)^a (Kaplan et al. 2020, arXiv:2001.08361; Henighan et al. 2020; eq. 1.1).

    Args:
        p: The constants x0 and a, and floor (0 if absent), by name.
        x: The input, in the unit of x0.

    Returns:
        The loss in nats per token.
    """
    return float(p.get("floor", 0.0) + (p["x0"] / x) ** p["a"])


def scaled_power(p: P, x: float) -> float:
    """Return (x/k)^b (Henighan et al. 2020, arXiv:2010.14701, Table 1).

    Args:
        p: The constants k and b, by name.
        x: Compute, in the unit of k.

    Returns:
        The best model size in parameters.
    """
    return float((x / p["k"]) ** p["b"])


def surface(p: P, N: float, D: float) -> float:
    """Return E + A/N^a + B/D^b (Hoffmann et al. 2022, arXiv:2203.15556, eq. 2).

    Args:
        p: The constants E, A, a, B and b, by name.
        N: Model size in parameters.
        D: Data, such as tokens.

    Returns:
        The loss, in the unit of E.
    """
    return float(p["E"] + p["A"] / N ** p["a"] + p["B"] / D ** p["b"])


def capacity_and_data(p: P, N: float, D: float) -> float:
    """Return ((Nc/N)^(aN/aD) + Dc/D)^aD (Kaplan et al. 2020, arXiv:2001.08361, eq. 1.5).

    Args:
        p: The constants Nc, aN, Dc and aD, by name.
        N: Model size in parameters.
        D: Data, in the unit of Dc.

    Returns:
        The loss in nats per token.
    """
    return float(((p["Nc"] / N) ** (p["aN"] / p["aD"]) + p["Dc"] / D) ** p["aD"])


def capacity_and_steps(p: P, N: float, S: float) -> float:
    """Return (Nc/N)^aN + (Sc/S)^aS (Kaplan et al. 2020, arXiv:2001.08361, eq. 1.6).

    Args:
        p: The constants Nc, aN, Sc and aS, by name.
        N: Model size in parameters.
        S: Training steps.

    Returns:
        The loss in nats per token.
    """
    return float((p["Nc"] / N) ** p["aN"] + (p["Sc"] / S) ** p["aS"])


def critical_batch(p: P, L: float) -> float:
    """Return Bs/L^(1/aB) (Kaplan et al. 2020, arXiv:2001.08361, eq. 1.4).

    Args:
        p: The constants Bs and aB, by name.
        L: The loss in nats per token.

    Returns:
        The critical batch size in tokens.
    """
    return float(p["Bs"] / L ** (1 / p["aB"]))


def repeated_data(p: P, N: float, D: float, U: float) -> float:
    """Return E + A/N'^alpha + B/D'^alpha (Muennighoff et al. 2023, arXiv:2305.16264).

    N parameters see D tokens of which U are unique: D' = U + U·RDs·(1 − exp(−(D/U − 1)/RDs)), and N' alike
    with UN, the parameters that U tokens deserve.

    Args:
        p: The constants a, b, e, alpha, RDs and RNs, by name.
        N: Model size in parameters.
        D: Tokens seen, repeats counted.
        U: Unique tokens; more than D count as D.

    Returns:
        The loss in nats per token.
    """
    A, B, E, alpha = math.exp(p["a"]), math.exp(p["b"]), math.exp(p["e"]), p["alpha"]
    U = min(U, D)
    UN = min(N, (A / B) ** (1 / alpha) * U)
    data = U + U * p["RDs"] * -math.expm1(-(D / U - 1) / p["RDs"])
    params = UN + UN * p["RNs"] * -math.expm1(-(N / UN - 1) / p["RNs"])
    return float(E + A / params**alpha + B / data**alpha)


def shifted_power(p: P, C: float) -> float:
    """Return A·(C + d)^−b + c (Zhai et al. 2022, arXiv:2106.04560, Figure 2).

    Args:
        p: The constants A, d, b and c, by name.
        C: Compute, in the unit of d.

    Returns:
        The error as a fraction.
    """
    return float(p["A"] * (C + p["d"]) ** -p["b"] + p["c"])


def broken(p: P, x: float) -> float:
    """Return a + b·x^−c0·(1 + (x/d1)^(1/f1))^(−c1·f1).

    Source: Caballero et al. 2022, arXiv:2210.14891, equation 1.

    Args:
        p: The constants a, b, c0, c1, d1 and f1, by name.
        x: The input, in the unit of d1.

    Returns:
        The value in the paper's unit (`PublishedLaw.scale` converts it).
    """
    # in logarithms: (x/d1)^(1/f1) overflows far beyond the break
    beyond = math.log(x / p["d1"]) / p["f1"]
    bend = beyond + math.log1p(math.exp(-beyond)) if beyond > 0 else math.log1p(math.exp(beyond))
    return p["a"] + p["b"] * math.exp(-p["c0"] * math.log(x) - p["c1"] * p["f1"] * bend)


def saturating(p: P, D: float) -> float:
    """Return B·(1/D + E)^b (Bansal et al. 2022, arXiv:2202.01994).

    Args:
        p: The constants B, E and b, by name.
        D: Data in millions of sentence pairs.

    Returns:
        The loss in nats per token.
    """
    return float(p["B"] * (1 / D + p["E"]) ** p["b"])


def transfer(p: P, D: float, N: float) -> float:
    """Return k·D^alpha·N^beta (Hernandez et al. 2021, arXiv:2102.01293, eq. 1.1).

    Args:
        p: The constants k, alpha and beta, by name.
        D: Data of the target task in characters.
        N: Model size in parameters.

    Returns:
        The data that pre-training is worth, in characters of the target task.
    """
    return float(p["k"] * D ** p["alpha"] * N ** p["beta"])


def product(p: P, N: float, D: float) -> float:
    """Return k·N^a·D^b (Li et al. 2025, arXiv:2503.04715).

    Args:
        p: The constants k, a and b, by name.
        N: Model size in parameters.
        D: Data in tokens.

    Returns:
        The best learning rate.
    """
    return float(p["k"] * N ** p["a"] * D ** p["b"])


def routed(p: P, N: float, experts: float) -> float:
    """Return 10^(a·log N + b·log Ê + c·log N·log Ê + d) (Clark et al. 2022, arXiv:2202.01169).

    Args:
        p: The constants a, b, c, d, Estart and Emax, by name.
        N: Parameters of the dense model.
        experts: Number of experts E; Ê is E, bounded by Estart and Emax.

    Returns:
        The loss in nats per token.
    """
    start = 1 / (1 / p["Estart"] - 1 / p["Emax"])
    log_e = math.log10(1 / (1 / (experts - 1 + start) + 1 / p["Emax"]))
    log_n = math.log10(N)
    return float(10 ** (p["a"] * log_n + p["b"] * log_e + p["c"] * log_n * log_e + p["d"]))


def fine_grained_experts(p: P, N: float, D: float, G: float) -> float:
    """Return c + (g/G^gamma + a)/N^alpha + b/D^beta (Krajewski et al. 2024, arXiv:2402.07871).

    Args:
        p: The constants c, g, gamma, a, alpha, b and beta, by name.
        N: Model size in parameters.
        D: Data in tokens.
        G: Granularity of the experts.

    Returns:
        The loss in nats per token.
    """
    return float(p["c"] + (p["g"] / G ** p["gamma"] + p["a"]) / N ** p["alpha"] + p["b"] / D ** p["beta"])


def sparse_experts(p: P, N: float, D: float, active: float) -> float:
    """Return a/N^alpha + b/D^beta + c/act^lam + d/(act^delta·N^gamma) + e (Abnar et al. 2025, eq. 6).

    Source: arXiv:2501.12370, with act = 1 − S for the sparsity S.

    Args:
        p: The constants a, alpha, b, beta, c, lam, d, delta, gamma and e, by name.
        N: All parameters.
        D: Data in tokens.
        active: Share of the parameters that are active for a token; more than 1 counts as 1.

    Returns:
        The loss in nats per token.
    """
    active = min(active, 1.0)
    by_size = p["a"] / N ** p["alpha"] + p["d"] / (active ** p["delta"] * N ** p["gamma"])
    return float(by_size + p["b"] / D ** p["beta"] + p["c"] / active ** p["lam"] + p["e"])


def step_flops(p: P, b: float, N: float) -> float:
    """Return g·b·N (Hestness et al. 2019, arXiv:1909.01736, Table 2).

    Args:
        p: The constant g, by name.
        b: Examples per step.
        N: Model size in parameters.

    Returns:
        FLOP per step.
    """
    return p["g"] * b * N


def step_bytes(p: P, b: float, N: float) -> float:
    """Return lam·N + mu·b·√N (Hestness et al. 2019, arXiv:1909.01736, Table 2).

    Args:
        p: The constants lam and mu, by name.
        b: Examples per step.
        N: Model size in parameters.

    Returns:
        Bytes moved per step.
    """
    return p["lam"] * N + p["mu"] * b * math.sqrt(N)


def proportional(p: P, N: float) -> float:
    """Return delta·N (Hestness et al. 2019, arXiv:1909.01736, Table 2).

    Args:
        p: The constant delta, by name.
        N: Model size in parameters.

    Returns:
        Memory footprint in bytes.
    """
    return p["delta"] * N


def flops_of_a_pass(p: P, N: float, D: float) -> float:
    """Return c·N·D (from the days of an epoch in Hestness et al. 2019, arXiv:1909.01736, section 5.2.2).

    Args:
        p: The constant c, by name.
        N: Model size in parameters.
        D: Data, such as words.

    Returns:
        FLOP of one epoch.
    """
    return p["c"] * N * D


def roofline(p: P, flops: float, moved: float) -> float:
    """Return max(flops/(fc·xc), moved/(fa·xa)) (Hestness et al. 2019, arXiv:1909.01736, section 5.2.2).

    Args:
        p: The peak rates xc (FLOP/s) and xa (bytes/s), and the shares of them that are reached, fc and fa.
        flops: FLOP per step.
        moved: Bytes moved per step.

    Returns:
        Seconds per step.
    """
    return max(flops / (p["fc"] * p["xc"]), moved / (p["fa"] * p["xa"]))


FORMULAS: dict[str, tuple[str, Callable[..., float]]] = {
    "power": ("alpha·x^beta", power),
    "power-of-ratio": ("floor + (x0/x)^a", power_of_ratio),
    "scaled-power": ("(x/k)^b", scaled_power),
    "surface": ("E + A/N^a + B/D^b", surface),
    "capacity-and-data": ("((Nc/N)^(aN/aD) + Dc/D)^aD", capacity_and_data),
    "capacity-and-steps": ("(Nc/N)^aN + (Sc/S)^aS", capacity_and_steps),
    "critical-batch": ("Bs/L^(1/aB)", critical_batch),
    "repeated-data": ("E + A/N'^alpha + B/D'^alpha", repeated_data),
    "shifted-power": ("A·(C + d)^−b + c", shifted_power),
    "broken": ("a + b·x^−c0·(1 + (x/d1)^(1/f1))^(−c1·f1)", broken),
    "saturating": ("B·(1/D + E)^b", saturating),
    "transfer": ("k·D^alpha·N^beta", transfer),
    "product": ("k·N^a·D^b", product),
    "routed": ("10^(a·log N + b·log Ê + c·log N·log Ê + d)", routed),
    "fine-grained-experts": ("c + (g/G^gamma + a)/N^alpha + b/D^beta", fine_grained_experts),
    "sparse-experts": ("a/N^alpha + b/D^beta + c/act^lam + d/(act^delta·N^gamma) + e", sparse_experts),
    "step-flops": ("g·b·p", step_flops),
    "step-bytes": ("lam·p + mu·b·√p", step_bytes),
    "proportional": ("delta·p", proportional),
    "flops-of-a-pass": ("c·p·D", flops_of_a_pass),
    "roofline": ("max(FLOP/(fc·xc), bytes/(fa·xa))", roofline),
}
_NOT_MONOTONE = frozenset({("sparse-experts", "active")})  # formula and input


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input of a law: its name, its base unit, and the paper's unit in base units."""

    name: str  # "data", "params", "flops", ...
    unit: str
    per: float = 1.0


@dataclass(frozen=True, kw_only=True)
class CheckPoint:
    """A published pair of inputs and result that the constants must reproduce."""

    inputs: Mapping[str, float]
    expected: float
    tolerance: float  # relative
    source: str = ""  # where the pair is printed, if not with the law


class Covariance(NamedTuple):
    """How the uncertainties of a law's parameters go together."""

    parameters: tuple[str, ...]  # names of parameters; "log NAME" where the logarithm is normal
    matrix: tuple[tuple[float, ...], ...]
    origin: str  # where it is from, in words


@dataclass(frozen=True, kw_only=True)
class PublishedLaw:
    """One law as its authors printed it, callable in base units."""

    id: str
    domain: str  # as `--domain` names it
    family: str
    metric: str  # "loss", "cer", ...; "params", "data", "flops" for laws of what is best or needed
    unit: str  # of the result
    unit_confirmed: bool = True  # False: the source leaves open what is counted, or contradicts itself
    inputs: tuple[Input, ...]
    parameters: Mapping[str, float]
    formula: str | None = None  # a key of FORMULAS; None: only exponents were published
    scale: float = 1.0  # base units of the result for one of the paper's
    exponents: Mapping[str, float] = field(default_factory=dict)  # input -> exponent of the reducible part
    errors: Mapping[str, float] = field(default_factory=dict)  # parameter -> published standard error
    covariance: Covariance | None = None  # of all parameters; None: not published, and not refitted
    companions: Mapping[str, str] = field(default_factory=dict)  # "params", "flops", ... -> id
    range: str  # what was measured, in words
    measured: tuple[float | None, float | None] = (None, None)  # data, smallest and largest
    sizes: tuple[float | None, float | None] = (None, None)  # parameters, smallest and largest
    # where the source's largest measurement is off its own law: the input, and the value measured there
    measured_at_end: tuple[float, float] | None = None
    confidence: Confidence
    citation: str
    year: int
    arxiv: str | None
    locator: str
    notes: tuple[str, ...] = ()
    checks: tuple[CheckPoint, ...] = ()
    unchecked: str = ""  # why no printed figure can confirm the constants, where there is no check

    @property
    def excess_at_end(self) -> float | None:
        """Return the share by which the largest measurement is above the law; None where it agrees."""
        if self.measured_at_end is None:
            return None
        x, measured = self.measured_at_end
        return measured / self._at({self.inputs[0].name: x}) - 1

    @property
    def equation(self) -> str:
        """Return the formula as text; of a law without one, its exponents."""
        if self.formula is not None:
            return FORMULAS[self.formula][0]
        return ", ".join(f"∝ {name}^{value:g}" for name, value in self.exponents.items())

    def evaluate(self, **inputs: float) -> float:
        """Return the law's value.

        Args:
            inputs: Every input by name, in base units.

        Returns:
            The value in base units (`unit`).

        Raises:
            LawError: Only exponents are published.
            InputError: An input is missing, unknown or not positive.
        """
        return self._at(self._checked(inputs, {i.name for i in self.inputs}))

    def invert(self, target: float, **given: float) -> float:
        """Return the one missing input at which the law has a value.

        Args:
            target: The value, in base units.
            given: Every other input by name, in base units.

        Returns:
            The missing input, in base units.

        Raises:
            LawError: The law never has that value or has it twice, or only exponents are published.
            InputError: Not exactly one input is missing, or one is unknown or not positive.
        """
        names = [i.name for i in self.inputs if i.name not in given]
        if len(names) != 1:
            missing = " and ".join(names) or "none"
            raise InputError(
                f"inputs of law {self.id}: expected all but one, missing {missing}",
                code="wrong-inputs",
                value=tuple(given),
                expected="all inputs but one",
            )
        others = self._checked(given, {i.name for i in self.inputs} - set(names))
        if (self.formula, names[0]) in _NOT_MONOTONE:
            raise LawError(
                f"{names[0]} in law {self.id}: expected an input with one solution, got one with a minimum",
                code="several-solutions",
                value=names[0],
                expected=", ".join(i.name for i in self.inputs if i.name != names[0]),
            )
        return math.exp(self._solve(target, names[0], others))

    def factor(self, ratio: float, input: str = "data") -> float:
        """Return how many times more of an input multiplies the law's value by a ratio.

        A known floor is not part of the value here: the ratio is that of the reducible part.

        Args:
            ratio: New value over old value.
            input: The name of the input.

        Returns:
            New input over old input.

        Raises:
            LawError: The law is not a power law of this input.
        """
        return float(ratio ** (1 / self._exponent(input)))

    def change(self, times: float, input: str = "data") -> float:
        """Return the factor of the law's value (its reducible part) when an input is multiplied.

        Args:
            times: New input over old input.
            input: The name of the input.

        Returns:
            New value over old value.

        Raises:
            LawError: The law is not a power law of this input.
        """
        return float(times ** self._exponent(input))

    def _exponent(self, input: str) -> float:
        if input not in self.exponents:
            names = ", ".join(self.exponents) or "no input"
            raise LawError(
                f"exponent of {input!r} in law {self.id}: expected one of {names}",
                code="no-exponent",
                value=input,
                expected=names,
            )
        return self.exponents[input]

    def _checked(self, inputs: Mapping[str, float], names: set[str]) -> dict[str, float]:
        if self.formula is None:
            raise LawError(
                f"law {self.id} has only exponents ({self.equation}): it answers how much more, not how much",
                code="exponents-only",
                value=self.id,
            )
        if set(inputs) != names:
            expected = ", ".join(f"{i.name} in {i.unit}" for i in self.inputs)
            raise InputError(
                f"inputs of law {self.id}: expected {expected}, got {', '.join(inputs) or 'none'}",
                code="wrong-inputs",
                value=tuple(inputs),
                expected=expected,
            )
        for name, value in inputs.items():
            if not (value > 0 and math.isfinite(value)):
                raise InputError(
                    f"{name} of law {self.id}: expected a positive number, got {value:g}",
                    code="not-positive",
                    value=value,
                    expected="a positive number",
                )
        return dict(inputs)

    def _at(self, inputs: Mapping[str, float]) -> float:
        assert self.formula is not None
        try:
            value = FORMULAS[self.formula][1](self.parameters, *(inputs[i.name] / i.per for i in self.inputs))
        except OverflowError:
            value = math.inf
        return value * self.scale

    def _solve(self, target: float, name: str, others: dict[str, float]) -> float:
        """Bisect for log x between e^-50 and e^120, where the law is monotone."""
        low, high = -50.0, 120.0
        first, last = (self._at({**others, name: math.exp(x)}) for x in (low, high))
        if not min(first, last) < target < max(first, last):
            edge = "above" if target >= max(first, last) else "below"
            bound = max(first, last) if edge == "above" else min(first, last)
            raise LawError(
                f"law {self.id} never has {target:g} {self.unit}, whatever the {name}: {edge} its "
                f"{bound:.4g}",
                code="value-out-of-reach",
                value=target,
                expected=f"{'less' if edge == 'above' else 'more'} than {bound:.4g}",
            )
        for _ in range(200):
            middle = (low + high) / 2
            if (self._at({**others, name: math.exp(middle)}) > target) == (first > last):
                low = middle
            else:
                high = middle
        return (low + high) / 2


@functools.cache
def all_laws() -> tuple[PublishedLaw, ...]:
    """Return every law of the data file; read once."""
    content = json.loads(Path(__file__).with_name("published.json").read_text(encoding="utf-8"))
    return tuple(_law(entry, content["sources"][entry.pop("source")]) for entry in content["laws"])


def published_law(id: str) -> PublishedLaw:
    """Return one law.

    Args:
        id: Its id.

    Returns:
        The law.

    Raises:
        UnknownName: No published law has this id.
    """
    laws = {law.id: law for law in all_laws()}
    if id not in laws:
        raise UnknownName(
            "published law",
            id,
            tuple(laws),
            hint=run("laws", "list", value="--source published", purpose="to see all"),
        )
    return laws[id]


def published_laws(
    domain: str | None = None, metric: str | None = None, unit: str | None = None
) -> tuple[PublishedLaw, ...]:
    """Return the laws of a domain and a metric, best first.

    Laws that give a value from data come first, then by confidence, then those that also have a law of model
    size or compute, then newer ones. Two laws of one metric may have different units (character models: nats
    in 2017, bits in 2019; speech: hours in 2017, characters in 2019), so an answer must print the unit.

    Args:
        domain: Only of this domain.
        metric: Only of this metric.
        unit: Only with a result in this unit.

    Returns:
        The laws.
    """
    matching = [
        law
        for law in all_laws()
        if domain in (None, law.domain)
        and (metric is None or metric.casefold() == law.metric)
        and unit in (None, law.unit)
    ]
    return tuple(sorted(matching, key=_preference))


def companion(law: PublishedLaw, metric: str) -> PublishedLaw | None:
    """Return the law that completes another one.

    Args:
        law: The law to complete.
        metric: What to complete it with: "params", "flops" (of one epoch), "step-flops", "memory", ...

    Returns:
        The law, or None if none was published with it.
    """
    return published_law(law.companions[metric]) if metric in law.companions else None


def _preference(law: PublishedLaw) -> tuple[bool, bool, int, bool, int]:
    from_data = any(i.name == "data" for i in law.inputs)
    return (
        law.formula is None,
        not from_data,
        _CONFIDENCE.index(law.confidence),
        not law.companions,
        -law.year,
    )


def _law(entry: dict[str, Any], source: dict[str, Any]) -> PublishedLaw:
    return PublishedLaw(
        **{
            **entry,
            **source,
            "inputs": tuple(Input(**i) for i in entry["inputs"]),
            **{name: tuple(entry.get(name, (None, None))) for name in ("measured", "sizes")},
            "measured_at_end": tuple(entry["measured_at_end"]) if "measured_at_end" in entry else None,
            "covariance": _covariance(entry.get("covariance")),
            "notes": tuple(entry.get("notes", ())),
            "checks": tuple(CheckPoint(**c) for c in entry.get("checks", ())),
        }
    )


def _covariance(entry: Mapping[str, Any] | None) -> Covariance | None:
    if entry is None:
        return None
    return Covariance(tuple(entry["parameters"]), tuple(map(tuple, entry["matrix"])), entry["origin"])
