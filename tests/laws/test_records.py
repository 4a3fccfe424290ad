"""A record's file gives back the record, or says in one line what is wrong with it."""

import dataclasses
import json
import math
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laws.errors import FileError, InputError, PlannerError
from laws.storage import records
from laws.types import Law, Outcome, Quantity, Run, SavedForecast, SizeCost, Sweep
from tests.laws.stored import forecast, law, outcome, run, same_law, sweep

finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(min_value=1e-300, allow_infinity=False)
text = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
ids = st.text(string.ascii_letters + string.digits, min_size=1, max_size=40)


@st.composite
def runs(draw):
    return Run(
        id=draw(ids),
        attempt=draw(st.integers(1, 99)),
        status=draw(st.sampled_from(["finished", "diverged", "out-of-memory", "failed"])),
        reason=draw(text),
        sweep=draw(text),
        domain=draw(text),
        family=draw(text),
        optimizer=draw(text),
        data=draw(positive),
        data_unit=draw(text),
        params=draw(st.integers(0, 10**15)),
        flops=draw(st.none() | finite),
        metrics=draw(st.dictionaries(text, finite, max_size=3)),
        seed=draw(st.integers(-(2**62), 2**62)),
        hyper=draw(st.dictionaries(text, finite | st.integers(-(2**53), 2**53) | text, max_size=3)),
    )


@st.composite
def laws(draw):
    rows, columns = draw(st.integers(0, 3)), draw(st.integers(2, 4))
    scale = st.floats(1e-30, 1e60)
    low, high = sorted(draw(st.tuples(scale, scale)))
    inner = draw(st.sets(st.floats(-70, 140), min_size=columns, max_size=columns))
    grid = sorted({*inner, math.log(low)})
    path = st.lists(st.floats(-345, 345, width=32), min_size=len(grid), max_size=len(grid)).map(tuple)
    made = Law(
        id="",
        created=draw(text),
        source=draw(st.sampled_from(["calibrated", "fitted", "published"])),
        domain=draw(text),
        family=draw(text),
        metric=draw(text),
        metric_unit=draw(text),
        x_unit=draw(text),
        form=draw(text),
        parameters={
            name: tuple(draw(st.lists(st.floats(-1e100, 1e100), min_size=rows, max_size=rows)))
            for name in draw(st.sets(text, max_size=3))
        },
        grid=tuple(grid),
        paths=tuple(draw(st.lists(path, min_size=rows, max_size=rows))),
        x_range=(low, high),
        n_points=draw(st.integers(0, 10**6)),
        ladder=tuple(SizeCost(size=s, params=s, flops=s) for s in draw(st.lists(scale, max_size=3))),
        diagnostics=draw(st.dictionaries(text, finite, max_size=3)),
        definitions=draw(st.dictionaries(text, text, max_size=3)),
        warnings=tuple(draw(st.lists(text, max_size=2))),
    )
    return dataclasses.replace(made, id=records.content_id(made))


@pytest.mark.parametrize("read", [records.decode, records.validate])
@pytest.mark.parametrize(
    "record",
    [
        run(),
        sweep(),
        run(1, flops=None, seconds=None, hyper={}, metrics={}),
        forecast(),
        outcome(forecast()),
        outcome(forecast(), observed={}, replaces="outcome0", note=""),
    ],
)
def test_a_file_gives_the_record_back(read, record):
    assert read(records.encode(record), type(record)) == record


@pytest.mark.parametrize("read", [records.decode, records.validate])
def test_a_law_comes_back_with_exact_draws_and_single_precision_paths(read):
    written = law(3)
    found = read(records.encode(written), Law)
    assert found.parameters == written.parameters
    assert same_law(found, written)
    assert records.encode(found) == records.encode(written)


@given(runs() | laws())
@settings(max_examples=60, deadline=None)
def test_any_record_survives_its_file(record):
    raw = records.encode(record)
    assert records.decode(raw, type(record)) == record
    assert records.validate(raw, type(record)) == record


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_refused_in_one_line(raw):
    for kind in (Run, Sweep, Law, SavedForecast, Outcome):
        for read in (records.decode, records.validate):
            with pytest.raises(PlannerError) as refused:
                read(raw, kind)
            assert "\n" not in str(refused.value)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_changed_byte_or_a_lost_end_is_noticed(data):
    record = data.draw(st.sampled_from([run(), sweep(), law(), forecast(), outcome(forecast())]))
    raw = records.encode(record)
    place = data.draw(st.integers(0, len(raw) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[place]))
    for broken in (raw[:place], raw[:place] + bytes([other]) + raw[place + 1 :]):
        with pytest.raises(PlannerError):
            records.decode(broken, type(record))


def test_every_byte_of_a_record_counts():
    raw = records.encode(sweep())
    for place in range(len(raw)):
        with pytest.raises(PlannerError):
            records.decode(raw[:place] + b"\0" + raw[place + 1 :], Sweep)


def test_a_law_from_before_points_were_kept_is_still_what_its_id_says():
    old = law(fitted={})
    raw = records.encode(old)
    assert b'"points"' not in raw
    assert records.validate(raw, Law) == records.decode(raw, Law)
    with pytest.raises(InputError) as refused:
        records.encode(law(fitted={"x": (1.0, 2.0), "y": (1.0,)}))
    assert refused.value.code == "invalid-record"


def test_a_name_with_a_line_break_is_refused_in_one_line():
    content = json.loads(records.encode(sweep()))["record"] | {"definitions": {"two\nlines": None}}
    with pytest.raises(PlannerError, match=r"two\\nlines") as refused:
        records.validate(forged(Sweep, content), Sweep)
    assert len(str(refused.value).splitlines()) == 1


def test_a_law_from_before_forecasts_is_still_what_its_id_says():
    old, new = law(), law(form="forecast", forms={"power-floor": 0.75, "steady": 0.25})
    assert b'"forms"' not in records.encode(old)
    raw = records.encode(new)
    assert records.validate(raw, Law).forms == records.decode(raw, Law).forms == new.forms


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_foreign_record_with_a_right_hash_is_still_judged(data):
    """Someone else's file may hash correctly and hold anything: one line says what, or it is the record."""
    record = data.draw(st.sampled_from([run(), sweep(), law(), forecast(), outcome(forecast())]))
    content = json.loads(records.encode(record))["record"]
    name = data.draw(st.sampled_from([*content, "new field"]))
    if data.draw(st.booleans()) and name in content:
        del content[name]
    else:
        content[name] = data.draw(json_values)
    raw = forged(type(record), content)
    try:
        found = records.validate(raw, type(record))
    except PlannerError as refused:
        assert "\n" not in str(refused)
    else:
        assert isinstance(found, type(record))
        if isinstance(found, Law | SavedForecast | Outcome):
            assert found.id == records.content_id(found)


def forged(kind, content):
    """Return a file with any content and the hash that fits it."""
    import hashlib

    body = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
    name = records._KINDS[kind]
    head = f'{{"format":"scaling-planner/{name}/1","sha256":"{hashlib.sha256(body).hexdigest()}","record":'
    return head.encode() + body + b"}\n"


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"metrics": {"wer": math.nan}}, "metrics"),
        ({"seconds": math.inf}, "seconds"),
        ({"id": "../../etc/passwd"}, "id"),
        ({"id": ""}, "id"),
        ({"attempt": 0}, "attempt"),
        ({"data": 0.0}, "data"),
        ({"params": -1}, "parameters"),
    ],
)
def test_what_cannot_be_stored_is_named(changes, wanted):
    with pytest.raises(PlannerError, match=wanted):
        records.encode(run(**changes))


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"paths": ((0.0, 1.0),)}, "grid"),
        ({"paths": ((math.nan,) * 6,)}, "finite"),
        ({"parameters": {"alpha": (1.0,), "beta": (1.0, 2.0)}}, "length"),
        ({"x_range": (2.0, 1.0)}, "range"),
        ({"x_range": (1.0,)}, "range"),
        ({"grid": (1.0, 1.0, 2.0, 3.0, 4.0, 5.0)}, "ascend"),
        ({"diagnostics": {"rhat": math.inf}}, "diagnostics"),
    ],
)
def test_a_law_that_contradicts_itself_is_refused(changes, wanted):
    with pytest.raises(PlannerError, match=wanted):
        records.encode(dataclasses.replace(law(), **changes))


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        (forecast(), {"day": "soon"}),
        (forecast(), {"quantities": {}}),
        (forecast(), {"quantities": {"data": Quantity(draws=(), unit="hours")}}),
        (forecast(), {"quantities": {"data": Quantity(draws=(math.nan,), unit="hours")}}),
        (forecast(), {"quantities": {"data": Quantity(draws=(-math.inf,), unit="hours")}}),
        (forecast(), {"given": {"error": math.inf}}),
        (outcome(forecast()), {"day": "2026-02-30"}),
        (outcome(forecast()), {"observed": {}}),
        (outcome(forecast()), {"observed": {"data": 0.0}}),
        (outcome(forecast()), {"observed": {"data": math.nan}}),
    ],
    ids=str,
)
def test_a_forecast_or_an_outcome_that_means_nothing_is_refused(record, wanted):
    with pytest.raises(PlannerError) as refused:
        records.validate(records.encode(dataclasses.replace(record, **wanted)), type(record))
    assert "\n" not in str(refused.value)


def test_a_forecast_keeps_draws_that_never_reach_the_target():
    found = records.validate(records.encode(forecast()), SavedForecast)
    assert found.quantities["data"].draws[-1] == math.inf
    assert found.quantities["data"].interval().q95 == forecast().quantities["data"].draws[18]


def test_the_same_forecast_is_kept_once_and_an_outcome_is_an_event():
    assert forecast(created="2030-01-01T00:00:00Z").id == forecast().id
    assert forecast(day="2026-01-02").id != forecast().id
    assert outcome(forecast(), created="2030-01-01T00:00:00Z").id != outcome(forecast()).id


def test_a_law_with_another_content_than_its_id_is_refused():
    content = json.loads(records.encode(law()))["record"]
    content["metric"] = "cer"
    with pytest.raises(FileError) as refused:
        records.validate(forged(Law, content), Law)
    assert refused.value.code == "wrong-id"


def test_a_law_is_the_same_whenever_it_was_fitted_and_another_when_anything_else_differs():
    assert records.content_id(law(created="2030-01-01T00:00:00Z")) == law().id
    for change in ({"metric": "cer"}, {"warnings": ()}, {"x_range": (1.0, 11.0)}, {"provenance": {}}):
        assert law(**change).id != law().id


def test_whole_numbers_and_floats_are_the_same_content():
    whole = law(
        x_range=(1, 10), diagnostics={"ess": 4000}, ladder=(SizeCost(size=16, params=1000, flops=10),)
    )
    assert whole.id == law(diagnostics={"ess": 4e3}, ladder=(SizeCost(size=16.0, params=1e3, flops=1e1),)).id
    assert records.validate(records.encode(whole), Law) == records.decode(records.encode(whole), Law)


def test_a_file_of_another_kind_says_which():
    with pytest.raises(FileError) as refused:
        records.decode(records.encode(run()), Law)
    assert refused.value.code == "foreign-file"
    assert (refused.value.value, refused.value.expected) == ("scaling-planner/run/1", "scaling-planner/law/1")


def test_a_number_written_as_text_is_not_taken_for_a_number():
    content = json.loads(records.encode(run()))["record"]
    content["data"] = "0.5"
    with pytest.raises(PlannerError, match="data"):
        records.validate(forged(Run, content), Run)


def test_a_sequence_is_part_of_the_file_and_not_of_the_id():
    record = law()
    raw = records.encode(record, sequence=17)
    assert records.sequence_of(raw, Law) == 17
    assert records.decode(raw, Law) == records.validate(raw, Law)
    assert records.validate(raw, Law).id == record.id
    assert records.encode(records.decode(raw, Law)) == records.encode(record)  # an export has none


def test_every_byte_of_a_record_with_a_sequence_counts():
    raw = records.encode(sweep(), sequence=17)
    for place in range(len(raw)):
        for byte in (b"\0", b"1", b"0"):
            changed = raw[:place] + byte + raw[place + 1 :]
            if changed != raw:
                with pytest.raises(FileError):
                    records.decode(changed, Sweep)


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        ("2026-01-01T00:00:01Z", 1767225601_000000),
        ("2026-01-01T00:00:01+00:00", 1767225601_000000),
        ("2026-01-01T00:00:01.000002", 1767225601_000002),
        ("1970-01-01T00:00:00Z", 0),
        ("1900-01-01T00:00:00Z", 0),
        ("yesterday", 0),
        ("", 0),
    ],
)
def test_a_record_without_a_sequence_is_ordered_by_its_time(created, expected):
    assert records.sequence_of(records.encode(law(created=created)), Law) == expected


def implausible():
    """Return laws that are consistent, hash correctly, and cannot be measurements."""
    huge = (700.0,) * 6
    cost = SizeCost(size=16.0, params=1e3, flops=1e9)
    return {
        "range-huge": {"x_range": (1e308, 1e308)},
        "range-tiny": {"x_range": (5e-324, 5e-324)},
        "range-both": {"x_range": (1e-300, 1e300)},
        "grid-far": {"grid": tuple(600.0 + i for i in range(6))},
        "grid-huge": {"grid": (-700.0, 0.0, 1.0, 2.0, 3.0, 1e302)},
        "grid-elsewhere": {"grid": tuple(100.0 + i for i in range(6))},
        "paths-huge": {"paths": (huge,) * 20},
        "paths-tiny": {"paths": (tuple(-v for v in huge),) * 20},
        "parameter-huge": {"parameters": {"alpha": (1e308,) * 20, "beta": (0.3,) * 20}},
        "points-negative": {"n_points": -1},
        "points-huge": {"fitted": {"x": (1e308,), "y": (0.5,)}},
        "weight": {"forms": {"power": 5.0}},
        "phase": {"phases": {"x": (1.0,), "floor": (2.0,)}},
        "cost-zero": {"ladder": (dataclasses.replace(cost, flops=0.0),)},
        "cost-huge": {"ladder": (dataclasses.replace(cost, params=1e300),)},
        "memory": {"ladder": (dataclasses.replace(cost, memory=-1.0),)},
    }


@pytest.mark.parametrize("name", implausible())
def test_a_law_with_a_right_hash_and_impossible_numbers_is_refused(name):
    record = law(**implausible()[name])
    with pytest.raises(FileError) as refused:
        records.validate(records.encode(record), Law)
    assert refused.value.code == "implausible-value"
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("low", [1e-12, 1.0, 1e13])
@pytest.mark.parametrize("value", [1e-9, 0.5, 1e15])
def test_a_law_of_any_usual_scale_is_accepted(low, value):
    start = math.log(low)
    record = law(
        x_range=(low, 100 * low),
        grid=tuple(start + 5 * i for i in range(6)),
        paths=tuple(tuple(math.log(value) - 0.5 * i for i in range(6)) for _ in range(20)),
        fitted={"x": (low, 100 * low), "y": (value, value / 2)},
    )
    assert records.validate(records.encode(record), Law).id == record.id
