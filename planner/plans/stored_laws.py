"""Change which laws of a store answer: delete laws, bring them back, and correct their names."""

from collections.abc import Sequence
from dataclasses import replace

from laws.errors import ConflictingInput, LawError, LawNotFound, MissingInput, closest, run, use
from laws.storage.records import content_id
from laws.storage.store import LawRow, Store
from laws.types import Law


def delete_laws(store: Store, ids: Sequence[str], *, whole_fit: bool = False) -> list[LawRow]:
    """Delete laws; `restore_laws` brings them back.

    Args:
        store: The store.
        ids: Ids of laws, or their first characters.
        whole_fit: Whether to delete every law that was fitted together with them.

    Returns:
        The deleted laws.

    Raises:
        LawNotFound: The store has no such law. Then none is deleted.
        ConflictingInput: Several laws begin with an id.
    """
    rows = store.laws()
    chosen = [_row(rows, id) for id in ids]
    if whole_fit:
        chosen = [row for row in rows if any(_of_one_fit(row, other) for other in chosen)]
    for row in chosen:
        store.delete_law(row.id)
    return chosen


def restore_laws(store: Store, ids: Sequence[str], *, whole_fit: bool = False) -> list[LawRow]:
    """Bring deleted laws back, in the order that they had.

    Args:
        store: The store.
        ids: Ids of deleted laws, or their first characters.
        whole_fit: Whether to bring back every law that was fitted together with them.

    Returns:
        The laws.

    Raises:
        LawNotFound: No deleted law has the id.
        ConflictingInput: Several deleted laws begin with an id.
    """
    rows = store.deleted_laws()
    chosen = [_row(rows, id, deleted=True) for id in ids]
    if whole_fit:
        chosen = [row for row in rows if any(_of_one_fit(row, other) for other in chosen)]
    for row in chosen:
        store.restore_law(row.id)
    return chosen


def rename_laws(
    store: Store, id: str, *, domain: str | None = None, family: str | None = None, metric: str | None = None
) -> list[tuple[LawRow, Law]]:
    """Give the laws of one fit another domain or family, and one metric another name.

    A law's id is the hash of its content, so the renamed laws are new ones, with the place of the old ones
    in the order of the store; the old ones are deleted.

    Args:
        store: The store.
        id: Id of a fitted law, or its first characters.
        domain: The new domain of every law of the fit.
        family: The new family of every law of the fit.
        metric: The new name of the law's metric; laws of other metrics keep theirs.

    Returns:
        Each old row with the renamed law.

    Raises:
        MissingInput: No new name is given.
        LawNotFound: The store has no such law.
        LawError: The law was calibrated: its names are those of its runs.
    """
    names = {"domain": domain, "family": family, "metric": metric}
    if blank := next(
        (name for name, value in names.items() if value is not None and not value.strip()), None
    ):
        raise MissingInput(f"{blank}: expected a name, got none", code="missing-name", hint=use(blank))
    if all(value is None for value in names.values()):
        raise MissingInput(
            "nothing to rename: expected a domain, a family or a metric",
            code="missing-name",
            hint=use(*names),
        )
    rows = store.laws()
    chosen = _row(rows, id)
    if chosen.source != "fitted":
        raise LawError(
            f"law {chosen.id} is {chosen.source}: expected a fitted law, because the runs of a calibration "
            "have its names",
            code="law-not-fitted",
            value=chosen.id,
        )
    renamed = []
    for row in rows:
        if not _of_one_fit(row, chosen):
            continue
        law = store.law(row.id)
        changed = replace(
            law,
            domain=domain.strip() if domain else law.domain,
            family=family.strip() if family else law.family,
            metric=metric.strip() if metric and law.metric == chosen.metric else law.metric,
            provenance={**law.provenance, "renamed_from": law.id},
        )
        changed = replace(changed, id=content_id(changed))
        store.add_law(changed, sequence=row.sequence)
        store.delete_law(row.id)
        renamed.append((row, changed))
    return renamed


def _of_one_fit(row: LawRow, other: LawRow) -> bool:
    """Return whether two laws were fitted together."""
    return (row.sequence, row.source, row.domain, row.family) == (
        other.sequence,
        other.source,
        other.domain,
        other.family,
    )


def _row(rows: Sequence[LawRow], id: str, *, deleted: bool = False) -> LawRow:
    """Return the one law whose id begins so."""
    matching = [row for row in rows if id and row.id.startswith(id)]
    if len(matching) > 1 and id not in {row.id for row in matching}:
        raise ConflictingInput(
            f"law {id!r}: expected more characters, {len(matching)} ids start with it, such as "
            f"{matching[0].id}",
            code="ambiguous-law",
            value=id,
            hint=run("laws", "list"),
        )
    if not matching:
        near = closest(id, [row.id for row in rows])
        kind = "deleted law" if deleted else "law of the store"
        raise LawNotFound(
            f"no {kind} has the id {id!r}{f' (did you mean {near!r}?)' if near else ''}",
            value=id,
            hint=run("laws", "list", value="--deleted" if deleted else ""),
        )
    return next((row for row in matching if row.id == id), matching[0])
