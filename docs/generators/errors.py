"""Generate docs/reference/errors.md from the `code=` of every error in the sources: `python -m
docs.generators.errors`.

A new code needs a line in MEANINGS; `tests/test_errors_page.py` fails without one.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from laws import errors

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "errors.md"

# code: (meaning, next step)
MEANINGS: dict[str, tuple[str, str]] = {
    # the classes
    "error": ("Any error below.", "Read the message."),
    "invalid-input": ("An argument, an option or a cell cannot be used.", "Correct the value."),
    "unknown-name": ("A name is not one of the known ones.", "Use the name that the message suggests."),
    "missing-input": ("Something that is needed was not given.", "Give it."),
    "conflicting-input": ("Two things were given that exclude each other.", "Leave one out."),
    "unusable-file": ("A file cannot be read or written.", "Check the file."),
    "unusable-table": ("A table lacks rows, columns or cells.", "Correct the table."),
    "unusable-store": ("A store is missing, locked or damaged.", "Check the store."),
    "law-cannot-answer": ("A law cannot be fitted, or cannot "
    "answer.", "Measure more, or ask another question."),
    "law-not-found": ("No law matches.", "List the laws, or measure."),
    "unusable-corpus": ("A corpus cannot be read or does not suffice.", "Correct the corpus."),
    "engine-failed": ("Workers, GPUs or a cluster cannot train.", "Read the message."),
    # stores and records
    "ambiguous-id": ("The first characters of an id match several records.", "Write more of the id."),
    "damaged-file": ("A record does not match its hash.", "Restore the file from a copy, or delete it."),
    "damaged-store": ("A store has files that cannot be used.", "Check the store."),
    "database-error": ("The database of the index cannot be written.", "Free space, then repeat."),
    "file-too-large": ("A file is larger than any of its kind.", "Check that it is the right file."),
    "foreign-file": ("A file was not written by this program, or is of another kind.", "Give a right file."),
    "implausible-value": ("A law has a number that no measurement can have.", "Ask for a right file."),
    "index-behind": ("A read-only store has files that its index lacks.", "Rebuild the index of a copy."),
    "invalid-id": ("An id cannot be the name of a file.", "Use letters, digits, - and _."),
    "invalid-record": ("The parts of a record do not fit together.", "Ask for a right file."),
    "newer-store": ("A newer version of this program wrote the index.", "Update this program."),
    "no-exported-law": ("A folder has no exported laws.", "Export a law into it."),
    "no-file-locks": ("The file system has no file locks.", "Put the store on a local disk."),
    "no-store": ("There is no store at this place.", "Name another folder, or measure."),
    "not-a-file": ("A pipe or a device is in the place of a file.", "Replace it by a file."),
    "other-version": ("Another version of this program wrote bundled laws.", "Install this program again."),
    "record-not-found": ("No record has this id.", "List the records."),
    "store-busy": ("Another process is at work on the same.", "Wait for it to end."),
    "store-is-file": ("A file is in the place of the store.", "Name a folder."),
    "sweep-without-laws": ("A sweep has no laws yet.", "Let its calibration end."),
    "unknown-fields": ("A record has fields that this version does not read.", "Update this program."),
    "unreadable-file": ("A file cannot be opened.", "Check its name and permissions."),
    "unreadable-index": ("The index of a store cannot be read.", "Rebuild the index."),
    "unstorable-value": ("A value is infinite, not a number, or not plain.", "Correct the value."),
    "unwritable-file": ("A file cannot be written.", "Name another file."),
    "unwritable-output": ("The output cannot be written.", "Name another file."),
    "unwritable-store": ("The disk refuses to write.", "Free space, or name a folder that may be written."),
    "wrong-id": ("The id of a record is not the hash of its content.", "Ask for a right file."),
    "wrong-name": ("A record is in a file of another name.", "Rename the file."),
    # laws
    "ambiguous-law": ("The first characters of an id match several laws.", "Write more of the id."),
    "exponents-only": ("Only the exponents of a law were published.", "Ask how much more, not how much."),
    "law-of-no-error": ("A law is not of an error or a loss.", "Ask a law of an error."),
    "law-of-other-…": ("A named law is of another domain, family, metric or "
    "form.", "Leave one of the two out."),
    "law-of-other-form": ("A named law has another form.", "Leave one of the two out."),
    "law-of-several-quantities": ("A law has several inputs.", "Use a law of one input."),
    "law-without-samples": ("A law has no posterior samples.", "Use a law that was fitted here."),
    "no-exponent": ("A law is not a power law of this input.", "Use an input that the message names."),
    "no-law": ("No law is stored.", "Measure, or use the bundled laws."),
    "no-law-of-form": ("No law of this form is stored.", "Fit one, or leave the form out."),
    "no-law-of-metric": ("No law of this metric is stored.", "Measure, or ask for another metric."),
    "no-law-of-source": ("No law of this source is stored.", "Ask for another source."),
    "no-sampled-curve": ("A law has no sampled curve.", "Use a law that was fitted here."),
    "joint-law-without-curve": ("A law is of parameters and data.", "Back-test it, or ask for its forecast."),
    "no-sweep-of-law": ("A law is not from a sweep in this store.", "Use a calibrated law."),
    "other-sweep": ("The corpus is not that of the law's sweep.", "Name the corpus, or calibrate."),
    "already-trained": ("The law was measured at this data size.", "Name a larger one."),
    "target-not-reached": ("The median of the law never reaches the target.", "Name a data size."),
    "no-samples": ("A law has no posterior samples to export.", "Export it as JSON."),
    "no-such-shipped-law": ("No bundled law matches.", "List the bundled laws."),
    "not-a-joint-law": ("The question needs a joint law of parameters and "
    "data.", "Fit runs of several sizes."),
    "several-solutions": (
        "A law has a minimum in the input that it was to be solved for.",
        "Give that input, and solve for another.",
    ),
    "too-few-published-laws": (
        "Fewer than two published laws answer one question.",
        "Name another domain or metric.",
    ),
    "too-few-families": ("Fewer than two families have a law to compare.", "Fit another family."),
    "too-few-shards": ("Too few shards have finished runs.", "Train more shards."),
    "value-out-of-reach": ("A law never has this value.", "Ask for a value that the message names."),
    "wrong-inputs": ("The inputs of a law are not those that it "
    "takes.", "Give the inputs that the message names."),
    # questions
    "assumption-out-of-bounds": ("An assumption is out of its bounds.", "Use a value inside them."),
    "assumption-twice": ("An assumption is given twice.", "Leave one out."),
    "band-reversed": ("The ends of a band are in the wrong order.", "Write the lower end first."),
    "below-measured": ("The question is below the measured range.", "Ask at a larger scale."),
    "confidence-out-of-reach": ("No plan reaches the target with this "
    "confidence.", "Ask for less confidence."),
    "data-for-smallest-model": ("The smallest model needs the data you have.", "Give only one of the two."),
    "decades-out-of-range": ("A plot cannot reach this far.", "Use fewer decades."),
    "impossible-target": ("A target is outside of what its metric can be.", "Correct the target."),
    "nothing-has-a-price": (
        "A budget of dollars was given for runs, and neither data nor an accelerator has a price.",
        "Give a price of data, or an accelerator.",
    ),
    "no-informative-run": (
        "No run would narrow the answer to this target by much.",
        "Ask for a target that is less certain.",
    ),
    "wrong-tiers": (
        "A price of data has tiers that do not increase, or a last tier that ends.",
        "Write every tier but the last with its end, each at more data.",
    ),
    "penalty-without-target": (
        "A penalty for missing a target was given without a target, or without a price of data.",
        "Give both.",
    ),
    "missing-accelerator": ("The question needs an accelerator.", "Name one."),
    "missing-data": ("The question needs an amount of data.", "Give it."),
    "missing-domain": ("Laws of several domains match.", "Name the domain."),
    "missing-ends": ("A frontier needs two ends.", "Give both."),
    "missing-output": ("This format is written to a file.", "Name the file."),
    "no-compute-cost": ("A law does not say what training costs.", "Fit runs with parameters and FLOP."),
    "no-devices": ("The number of devices is not positive.", "Give at least one."),
    "no-model-size": ("A law does not say which model size is best.", "Fit runs with parameters."),
    "no-price": ("An accelerator has no price.", "Give one in a fleet file."),
    "no-products": ("A plan file has no products.", "Add one."),
    "no-question": ("Nothing to compute was given.", "Give a target, data, parameters or FLOP."),
    "no-such-cost": ("The law has no such cost.", "Use a cost that the message names."),
    "no-such-value": ("A what-if value is not one that the message names.", "Use one of them."),
    "no-target": ("A target is missing.", "Give one."),
    "not-a-number": ("A value is not a number.", "Correct the value."),
    "not-positive": ("A value is not positive.", "Give a positive value."),
    "past-deadline": ("A deadline is in the past.", "Give a later day."),
    "price-zero": ("A price of 0 makes a budget meaningless.", "Limit the hours or the time."),
    "product-without-name": ("A product of a plan has no name.", "Name it."),
    "repeated-key": ("A key of a file is there twice.", "Keep one."),
    "repeated-product": ("Two products of a plan have one name.", "Rename one."),
    "serve-and-smallest-model": ("The smallest model and a served amount exclude each "
    "other.", "Leave one out."),
    "several-questions": ("Several things to compute from were given.", "Give one."),
    "several-targets": ("Several targets were given.", "Give one."),
    "target-already-reached": ("The smallest measured data reaches the target.", "Ask for a lower target."),
    "target-below-floor": ("No amount of data reaches the target.", "Ask for a higher target."),
    "target-of-other-metric": ("The target is of another metric.", "Leave one of the two out."),
    "target-too-easy": ("The target is above all that was measured.", "Ask for a lower target."),
    "target-without-metric": ("A target could be of several metrics.", "Write METRIC=VALUE."),
    "deleted-law": (
        "The law that you name is deleted.",
        "Bring it back with `planner laws delete --undo ID`.",
    ),
    "missing-name": ("A law is to be renamed without a new name.", "Give a domain, a family or a metric."),
    "law-not-fitted": (
        "A law that was calibrated cannot be renamed: its runs have its names.",
        "Delete it, and calibrate under the other name.",
    ),
    "ambiguous-name": ("Several forecasts have the name.", "Give an id."),
    "too-many-cells": ("A what-if has too many cells.", "Give fewer values."),
    "unreadable-assumption": ("An assumption cannot be read.", "Write NAME=VALUE."),
    "unreadable-quantity": ("A quantity cannot be read.", "Write it as the message shows."),
    "value-zero": ("A value of 0 has no logarithm.", "Leave the row out."),
    "which-curve": ("A file has several curves.", "Name one."),
    "wrong-axes": ("A what-if needs other axes.", "Name axes as the message shows."),
    "wrong-ends": ("The ends of a frontier cannot be used.", "Give two different positive ends."),
    "wrong-points": ("A frontier needs another number of points.", "Use a number that the message names."),
    "wrong-type": ("A value of a plan file has the wrong type.", "Correct the value."),
    # machines
    "date-without-price": ("A date is given without a price.", "Give the price too."),
    "duplicate-accelerator": ("A fleet names an accelerator twice.", "Leave one out."),
    "incomplete-accelerator": ("An accelerator of a fleet lacks "
    "figures.", "Add those that the message names."),
    "invalid-count": ("A number of devices cannot be used.", "Correct it."),
    "invalid-sample": ("A posterior sample cannot be used.", "Report it with the law."),
    "invalid-toml": ("A file is not valid TOML.", "Correct the line that the message names."),
    "invalid-value": ("A value of a fleet cannot be used.", "Correct the value."),
    "unequal-samples": ("Samples differ in number.", "Give the same number of each."),
    "unknown-accelerator": ("An accelerator is unknown.", "List the accelerators, or describe it in a "
    "fleet file."),
    "unknown-key": ("A key of a file is unknown.", "Use the key that the message suggests."),
    "unknown-precision": ("A precision is unknown.", "Use one that the message names."),
    "unknown-speed": ("The speed of a device is unknown.", "Give its utilization."),
    # tables of runs
    "baseline-of-surface": ("A joint law takes no baseline error.", "Leave one of the two out."),
    "column-used-twice": ("One column is named for two purposes.", "Name another column."),
    "compute-not-data": ("The unit of the data is one of compute.", "Name a unit of data."),
    "conflicting-ceiling": ("Rows of one curve have different ceilings.", "Use one."),
    "duplicate-column": ("Two columns have one name.", "Rename one."),
    "empty-table": ("A table has no rows.", "Add rows."),
    "invalid-baseline-error": ("A baseline error cannot be used.", "Give a value above all measurements."),
    "invalid-csv": ("A file is not a valid CSV table.", "Correct the row that the message names."),
    "invalid-json": ("A file is not valid JSON.", "Correct the line that the message names."),
    "invalid-name": ("A name has characters that cannot be used.", "Use letters, digits and spaces."),
    "invalid-parquet": ("A file is not valid Parquet.", "Write it again."),
    "missing-column": ("A column is missing.", "Name the column, or add it."),
    "no-curve-to-pool": ("The store has no other curve to pool with.", "Leave pooling out."),
    "no-measurement": ("No row has a measurement.", "Add rows."),
    "no-such-file": ("There is no such file.", "Check the name."),
    "not-utf-8": ("A file is not UTF-8 text.", "Convert it."),
    "nothing-to-forecast": ("No scale to forecast is given.", "Add rows without y."),
    "pool-without-forecast": ("Pooling needs a forecast.", "Leave one of the two out."),
    "ragged-table": ("The columns of a table from Python differ in length.", "Give columns of one length."),
    "bad-probability": ("The probability of an interval is not between 0 and 1.", "Give 0.9, say."),
    "unknown-quantity": ("An answer has no quantity of this key.", "Use a key that `plan.keys()` returns."),
    "too-few-laws-to-compare": ("Fewer than two laws were given to `planner.compare`.", "Give at least two."),
    "laws-differ": ("The laws to compare are of different metrics or units.", "Compare laws of one metric."),
    "not-a-stored-law": ("`planner.load` was asked for a published law.", "Load a law of a store."),
    "invalid-point": ("A typed point is not DATA=VALUE.", "Write it like 300h=11.4%."),
    "missing-metric": ("Nothing says what was measured.", "Name the metric, such as wer."),
    "missing-data-unit": ("Nothing says what data is counted in.", "Name the unit, such as hours."),
    "run-given-twice": (
        "Several sources hold a run of the same id.",
        "Name the folder that holds all of them.",
    ),
    "percent-of-unknown-data": ("Data sizes are percentages of an unknown total.", "Name the total."),
    "too-many-files": ("More files were given than one table may have.", "Give fewer files."),
    "ragged-row": ("A row has more or fewer cells than the heading.", "Correct the row."),
    "reserved-metric": ("The name of a metric is reserved.", "Name an error or a loss."),
    "unknown-direction": (
        "An unknown metric rises with data.",
        "Say whether higher or lower is better.",
    ),
    "test-size-of-no-rate": (
        "A test size is given for a metric that is not a rate.",
        "Give a column of standard errors.",
    ),
    "unknown-ceiling": (
        "The best value of a metric that rises is not known.",
        "Give its range.",
    ),
    "invalid-metric-range": (
        "The range of a metric is not LOW:HIGH.",
        "Give its least and its best value, such as 0:100.",
    ),
    "outside-metric-range": (
        "A measured value is outside the range of its metric.",
        "Correct the value, or give another range.",
    ),
    "invalid-chance-level": (
        "The chance level is not worse than the measurements.",
        "Give the value that guessing reaches.",
    ),
    "percent-or-fraction": (
        "A rate has values above 1 only.",
        "Say whether they are percent or fractions.",
    ),
    "wrong-direction": (
        "The outcome of a metric that rises is a score, of one that falls an error.",
        "Use the other option.",
    ),
    "table-too-large": ("A table has more bytes than can be read.", "Leave unused columns out."),
    "too-many-columns": ("A table has too many columns.", "Leave unused columns out."),
    "too-many-points": ("A joint law has too many runs.", "Fit the best run at each data size."),
    "too-many-rows": ("A table has too many rows.", "Leave unused rows out."),
    "unknown-column": ("A named column is not in the table.", "Use the name that the message suggests."),
    "unknown-file-type": ("The ending of a file is unknown.", "Use one that the message names."),
    "unknown-form": ("A form is unknown.", "Use one that the message names."),
    "unreadable-cell": ("A cell cannot be read.", "Correct the cell that the message names."),
    "unreadable-table": ("A table cannot be read.", "Check the file."),
    # corpora
    "archive-not-unpacked": ("An archive cannot be unpacked.", "Unpack it yourself, or download it again."),
    "corpus-changed": ("A corpus changed while it was copied.", "Start again."),
    "corpus-incomplete": ("A copied corpus lacks files.", "Start again."),
    "corpus-not-a-file": ("A corpus is not a file or a folder.", "Name a file or a folder."),
    "corpus-not-found": ("There is no corpus at this place.", "Check the name."),
    "corpus-too-small": ("A corpus is too small for the sweep.", "Add data, or use a smaller preset."),
    "corpus-unreadable": ("A prepared corpus cannot be read.", "Delete it; it is prepared again."),
    "corpus-without-files": ("A folder has no files of this kind.", "Name another folder."),
    "empty-corpus": ("A corpus has no usable data.", "Add data."),
    "cut-file": ("A file is cut short.", "Download it again."),
    "different-lengths": ("Two files differ in length.", "Use files that belong together."),
    "domain-makes-its-data": ("A domain makes its own data.", "Leave the corpus out."),
    "domain-missing": ("A domain file does not define a domain.", "Define one, as the guide shows."),
    "domain-name-taken": ("Two domains have one name.", "Rename yours."),
    "domain-not-loaded": ("A domain file cannot be loaded.", "Correct the line that the message names."),
    "invalid-fingerprint": ("A corpus has an invalid fingerprint.", "Prepare it again."),
    "invalid-glob": ("A pattern of file names cannot be used.", "Write ** only between slashes."),
    "library-without-sources": ("No text is found in the Python library.", "Name a corpus."),
    "line-too-long": ("A line of a transcript is too long.", "Correct the file."),
    "missing-file": ("A file of a corpus is missing.", "Add it."),
    "mostly-unreadable": ("Most files of a corpus cannot be read.", "Check the kind of the files."),
    "name-outside": ("A name leads outside of its folder.", "Use names inside."),
    "name-too-deep": ("A name has too many folders.", "Use fewer."),
    "no-transcripts": ("A corpus has no transcripts.", "Add them."),
    "no-vocabulary": ("No vocabulary can be learned from a corpus.", "Add text."),
    "not-a-folder": ("A file is in the place of a folder.", "Name a folder."),
    "not-a-table": ("A manifest is not a table.", "Correct the manifest."),
    "not-idx": ("A file is not in the IDX format.", "Download it again."),
    "not-square": ("Images are not square.", "Cut them."),
    "not-unpacked": ("A data set is still packed.", "Unpack it."),
    "pickled-corpus": ("A data set is a pickle, which could run code.", "Use its binary version."),
    "several-languages": ("A corpus has several languages.", "Name one."),
    "shard-too-small": ("A shard has too little text.", "Use larger shards."),
    "too-few-classes": ("A data set has fewer than two classes.", "Add classes."),
    "too-large": ("A file or an image is larger than can be used.", "Use a smaller one."),
    "too-many-classes": ("A data set has too many classes.", "Leave some out."),
    "unknown-class": ("A label is not one of the classes.", "Correct the labels."),
    "wrong-columns": ("A table of translations has other columns.", "Use two columns."),
    "wrong-files": ("A folder does not have one file per language.", "Use two files."),
    # forecasts, sources and fits that were added to the above
    "already-recorded": ("A quantity of a forecast has an outcome.", "Replace that outcome."),
    "already-replaced": ("An outcome is replaced by another one.", "Replace the newer one."),
    "ambiguous-number": (
        "A cell could be two numbers, and so could its column.",
        "Name the decimal mark, or write the cell in one way.",
    ),
    "mixed-decimal-marks": ("Two cells of a column have different decimal marks.", "Write both in one way."),
    "invalid-expression": (
        "A column option is not a name or an expression.",
        "Use names, numbers, + - * / and double quotes.",
    ),
    "ambiguous-column": ("Several columns match a name.", "Name one exactly."),
    "bad-baseline-error": ("A baseline error cannot be used.", "Give a value above all measurements."),
    "date-before-forecast": ("An outcome is from before its forecast.", "Correct the date."),
    "date-in-future": ("An outcome is from a day in the future.", "Correct the date."),
    "invalid-condition": ("A condition on runs cannot be read.", "Write COLUMN=VALUE."),
    "remote-source": ("The source is on a server.", "Export the runs and fit the file."),
    "unknown-state": ("A state of runs is unknown.", "Use one of the names in the message."),
    "invalid-pattern": (
        "A pattern is not a regular expression with one group.",
        "Put parentheses around the data size.",
    ),
    "data-given-twice": ("A column and a pattern of names both give the data size.", "Drop one."),
    "no-data-size": ("No column of the runs counts data.", "Name one that varies between runs."),
    "no-steps": ("Runs have no metric with its steps.", "Name another metric."),
    "invalid-scale": ("A scale is not above 0.", "Give one above 0."),
    "steps-not-data": (
        "Steps of a training are not amounts of data.",
        "Name a column of data, or use `planner extrapolate`.",
    ),
    "one-training": ("A source is one training, not a table of trainings.", "Use `planner extrapolate`."),
    "invalid-database": ("A file is not a database that can be read.", "Check the file."),
    "no-points-of-law": ("A law does not record the points it was fitted to.", "Fit or calibrate one."),
    "no-plausible-law": ("No law explains the points.", "Check the points."),
    "no-points": ("There are no points to fit.", "Add measurements."),
    "no-runs": ("A source has no runs.", "Check its name."),
    "no-such-run": ("No run has this id.", "List the runs."),
    "no-value": ("No observed value was given.", "Give at least one."),
    "not-converged": ("The sampler did not converge.", "Add measurements, or use another seed."),
    "one-size": ("All points have one size.", "Measure another size."),
    "outcome-of-other-forecast": ("An outcome is of another forecast.", "Name an outcome of this one."),
    "several-groups": ("A source has runs of several groups.", "Name one."),
    "several-sources": ("Several sources were given.", "Give one."),
    "shapes-differ": ("Arrays differ in length.", "Give one value per point."),
    "sizes-too-close": ("Sizes are too close to tell a slope.", "Measure a size further away."),
    "source-too-large": ("A source is larger than can be read.", "Leave unused parts out."),
    "too-few-sizes": ("Too few sizes were measured for the "
    "form.", "Measure more sizes, or name another form."),
    "unknown-source": ("A source is unknown.", "Use one that the message names."),
    "unreadable-source": ("A source cannot be read.", "Check the file."),
    # sweeps, engines and runs
    "budget-too-small": ("A budget does not suffice for the smallest step.", "Give more."),
    "cluster-lost": ("The connection to a Ray cluster was lost.", "Start the cluster, then repeat."),
    "cluster-not-found": ("No Ray cluster answers.", "Start one, or give its address."),
    "empty-budget": ("A budget is zero.", "Give more."),
    "espeak-failed": ("The speech synthesizer failed.", "Read the message."),
    "espeak-not-installed": ("The speech synthesizer is not installed.", "Install it, or name a corpus."),
    "fonts-missing": ("No font is found.", "Install one."),
    "gpu-hours-on-cluster": ("A budget in GPU-hours needs the local engine.", "Give a time."),
    "library-missing": ("A library for training is not installed.", "Install it as the message shows."),
    "matplotlib-not-installed": ("matplotlib is not installed.", "Install it as the message shows."),
    "metric-differs": ("The target is not of a metric of the domain.", "Use one that the message names."),
    "missing-library": ("A library is not installed.", "Install it as the message shows."),
    "no-gpu": ("There is no GPU.", "Give a time instead of GPU-hours."),
    "no-run-finished": ("No run of a sweep finished.", "List the runs for their reasons."),
    "no-usable-node": ("No node of a cluster can train.", "Read the message."),
    "target-without-budget": ("A target needs a budget.", "Give one."),
    "trial-failed": ("A trial of a training failed.", "Read the message."),
    "unknown-domain": ("A domain is unknown.", "Use the name that the message suggests."),
    "unknown-family": ("A family is unknown.", "Use the name that the message suggests."),
    "unknown-metric": ("A metric is unknown.", "Use the name that the message suggests."),
    "unknown-preset": ("A preset is unknown.", "Use one that the message names."),
    "unknown-run": ("No run has this id.", "List the runs."),
    "unknown-suffix": ("The ending of an output is unknown.", "Use one that the message names."),
    "unknown-sweep": ("No sweep has this id.", "List the runs."),
    "worker-lost": ("A worker process was killed again and again.", "Use fewer processes."),
}  # fmt: skip


def codes() -> dict[str, set[str]]:
    """Return the classes that are raised with each code in the sources."""
    raised: dict[str, set[str]] = {}
    for package in ("laws", "calibrate", "planner"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for code, kind in _codes_of(ast.parse(path.read_text(encoding="utf-8"))):
                raised.setdefault(code, set()).add(kind)
    return raised


def page() -> str:
    """Return the text of the page."""
    tree = (errors.__doc__ or "").split("\n\n")[1]
    lines = [
        "# Errors",
        "",
        "Every error that you can act on is a `PlannerError` (`laws/errors.py`). It prints as one "
        "line and has a `code`",
        "that does not change, the `value` that was given, what was `expected`, and `hints`, the next "
        "steps. Anything else",
        "is a bug.",
        "",
        "```",
        tree,
        "```",
        "",
        "```python",
        "from laws.errors import LawNotFound, PlannerError",
        "",
        "try:",
        "    ...",
        "except LawNotFound as error:",
        "    print(error.code, error.value, error.hints)",
        "```",
        "",
        "## Codes",
        "",
        "`python -m docs.generators.errors` makes this table from the sources.",
        "",
        "| code | class | meaning | next step |",
        "| --- | --- | --- | --- |",
    ]
    for code, kinds in sorted(codes().items()):
        meaning, step = MEANINGS[code]
        lines.append(
            f"| `{code}` | {', '.join(f'`{kind}`' for kind in sorted(kinds))} | {meaning} | {step} |"
        )
    return "\n".join([*lines, ""])


def _codes_of(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield code and class of every call with `code=` and of every class with an attribute `code`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == "code":
                    yield from ((code, ast.unparse(node.func)) for code in _texts(keyword.value))
        if isinstance(node, ast.ClassDef):
            for line in node.body:
                if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "code":
                    yield from ((code, node.name) for code in _texts(line.value))


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)  # type: ignore[misc]
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


if __name__ == "__main__":
    sys.stdout.write(f"{PAGE}\n")
    PAGE.write_text(page(), encoding="utf-8")
