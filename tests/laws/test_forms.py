"""Every form: its equation, its shapes, and coordinates that describe the same curve."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import ndtr

from laws.fitting.coordinates import COORDINATES
from laws.fitting.forms import FORMS
from laws.fitting.noise import MIN_NOISE
from laws.points import check_points

X = np.geomspace(1e3, 5e5, 10)
PAIRS = np.array([[n, d] for n in (1e6, 1e7, 1e8) for d in (1e7, 1e8, 1e9)])

# each equation once more, plainly, as its paper prints it
EXAMPLES = {
    "power": ({"alpha": 2.0, "beta": 0.3}, lambda x, alpha, beta: alpha * x**-beta),
    "power-floor": (
        {"alpha": 2.0, "beta": 0.3, "gamma": 0.05},
        lambda x, alpha, beta, gamma: alpha * x**-beta + gamma,
    ),
    "three-phase": (
        {"ceiling": 0.9, "beta": 0.4, "gamma": 0.02, "onset": 4e3, "width": 0.6},
        lambda x, ceiling, beta, gamma, onset, width: (
            gamma + (ceiling - gamma) * (1 + (x / onset) ** (1 / width)) ** (-beta * width)
        ),
    ),
    "broken": (
        {"alpha": 2.0, "beta": 0.2, "change": 0.25, "gamma": 0.01, "breakpoint": 3e4, "width": 0.5},
        lambda x, alpha, beta, change, gamma, breakpoint, width: (
            gamma + alpha * x**-beta * (1 + (x / breakpoint) ** (1 / width)) ** (-change * width)
        ),
    ),
    "size": ({"sigma": 30.0, "beta_p": 0.7}, lambda x, sigma, beta_p: sigma * x**beta_p),
    "surface": (
        {"E": 1.69, "A": 406.0, "a": 0.34, "B": 410.0, "b": 0.28},
        lambda x, E, A, a, B, b: E + A / x[:, 0] ** a + B / x[:, 1] ** b,
    ),
}


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


def places(form):
    return PAIRS if form == "surface" else X


def test_there_is_an_example_and_a_place_to_sample_for_each_form():
    assert FORMS.keys() == EXAMPLES.keys() == COORDINATES.keys()


def test_a_form_is_the_logarithm_of_its_equation(form):
    parameters, equation = EXAMPLES[form]
    np.testing.assert_allclose(
        FORMS[form].log_y(places(form), parameters), np.log(equation(places(form), **parameters)), rtol=1e-12
    )
    assert FORMS[form].parameters.keys() == parameters.keys()


def test_leading_axes_broadcast_over_walkers_and_draws(form):
    parameters, _ = EXAMPLES[form]
    x = places(form)
    one = FORMS[form].log_y(x, parameters)
    many = FORMS[form].log_y(
        x, {k: np.full((4, 3), v) for k, v in parameters.items()} | {"scale": np.ones(3)}
    )
    assert one.shape == (len(x),)
    assert many.shape == (4, 3, len(x))
    np.testing.assert_allclose(many, np.broadcast_to(one, many.shape))
    assert FORMS[form].log_y(x[:1], parameters).shape == (1,)


def test_the_broken_law_with_no_first_exponent_is_the_three_phases():
    phases, _ = EXAMPLES["three-phase"]
    as_broken = FORMS["broken"].function(
        X, alpha=0.88, beta=0.0, change=0.4, gamma=0.02, breakpoint=4e3, width=0.6
    )
    np.testing.assert_allclose(as_broken, FORMS["three-phase"].function(X, **phases))


def measured(form):
    parameters, equation = EXAMPLES[form]
    return check_points(places(form), equation(places(form), **parameters))


def test_the_ends_of_the_curve_are_its_first_two_coordinates(form):
    points = measured(form)
    coordinates = COORDINATES[form](points)
    parameters, _ = coordinates.unpack(coordinates.starts)
    fitted = FORMS[form].log_y(points.x, parameters)
    at = [0, -1]
    if form == "surface":  # of which one corner is measured so
        at = np.flatnonzero((points.x == points.x.max(0)).all(1))
    unit = np.sqrt(np.exp(2 * coordinates.starts[:, -1:]) + MIN_NOISE**2)
    center = fitted[:, at] - unit * coordinates.starts[:, : len(at)]
    np.testing.assert_allclose(center, np.broadcast_to(center[0], center.shape))
    np.testing.assert_allclose(center[0], np.log(points.y[at]), atol=0.05)


# the quantities on which the module states its priors, read off the natural parameters
def quantities(form, points, z):
    p, _ = COORDINATES[form](points).unpack(z[None])
    p = {k: float(v[0]) for k, v in p.items()}
    log_y = FORMS[form].log_y(points.x, p)
    span = np.log(points.x[-1] / points.x[0])
    if form == "power":
        return [log_y[-1], p["beta"]]
    if form == "size":
        return [log_y[-1], p["beta_p"]]
    if form == "surface":
        high = points.x.max(0)
        top = p["E"] + p["A"] / high[0] ** p["a"] + p["B"] / high[1] ** p["b"]
        return [
            np.log(top),
            p["A"] / high[0] ** p["a"] / top,
            p["B"] / high[1] ** p["b"] / top,
            p["a"],
            p["b"],
        ]
    out = [log_y[-1], p["gamma"] / np.exp(log_y[-1]), p["beta"]]
    if form == "three-phase":
        out += [np.log(p["onset"] / points.x[0]) / span, np.log(p["width"])]
    if form == "broken":
        out += [
            np.log(p["breakpoint"] / points.x[0]) / span,
            np.log(p["width"]),
            np.log1p(p["change"] / p["beta"]),
        ]
    return out


def quantities_at(curve, form, points, noise):
    return np.array(quantities(form, points, np.append(curve, noise)))


def log_prior(form, points, q):
    from scipy.stats import halfnorm, norm

    level = norm.logpdf(q[0], np.log(points.y).mean(), 3)
    if form == "power":
        return level + halfnorm.logpdf(q[1])
    if form == "size":
        return level + norm.logpdf(q[1], 0.7, 0.5)
    if form == "surface":
        return level + np.log(2) + halfnorm.logpdf(q[3:]).sum()
    total = level + halfnorm.logpdf(q[2])
    if form == "three-phase":
        total += norm.logpdf(q[3], 0, 0.5) + norm.logpdf(q[4], np.log(0.5), 0.5)
    if form == "broken":
        total += norm.logpdf(q[4], np.log(0.5), 0.5) + norm.logpdf(q[5], 0, 0.5)
    return total


def test_the_density_of_the_coordinates_is_the_stated_prior_times_the_jacobian(form):
    points = measured(form)
    coordinates = COORDINATES[form](points)
    rng = np.random.default_rng(5)
    compared = 0
    for start in coordinates.starts[:: max(1, len(coordinates.starts) // 4)]:
        z = start + 0.02 * rng.standard_normal(len(start))
        if not np.isfinite(coordinates.unpack(z[None])[1][0]):
            continue  # a floor below 0 has no density
        compared += 1
        free = len(z) - coordinates.noise.columns  # the noise states its own prior
        jacobian = approx_fprime(z[:free], quantities_at, 1e-7, form, points, z[free:])
        expected = log_prior(form, points, np.array(quantities(form, points, z)))
        expected += np.linalg.slogdet(jacobian)[1]
        np.testing.assert_allclose(coordinates.unpack(z[None])[1][0], expected, atol=1e-4)
    assert compared >= 2


def test_a_known_ceiling_pulls_the_ceiling_of_three_phases():
    parameters, equation = EXAMPLES["three-phase"]
    free = check_points(X, equation(X, **parameters))
    told = check_points(X, equation(X, **parameters), baseline_error=0.9)
    z = COORDINATES["three-phase"](free).starts
    ceiling = COORDINATES["three-phase"](free).unpack(z)[0]["ceiling"]
    gained = COORDINATES["three-phase"](told).unpack(z)[1] - COORDINATES["three-phase"](free).unpack(z)[1]
    np.testing.assert_allclose(
        gained, -0.5 * (np.log(ceiling / 0.9) / 0.05) ** 2 - np.log(0.05) - 0.5 * np.log(2 * np.pi), rtol=1e-9
    )


def test_the_floor_coordinate_is_the_normal_quantile_of_its_share():
    points = measured("power-floor")
    z = np.array([[1.0, 0.5, -0.4, 2.0, -3.0]])
    parameters, _ = COORDINATES["power-floor"](points).unpack(z)
    last = np.exp(FORMS["power-floor"].log_y(points.x[-1:], parameters))[0]
    np.testing.assert_allclose(parameters["gamma"], last * ndtr(-0.4))
