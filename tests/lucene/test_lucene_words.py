"""Lucene as the word channel of an index of code; `make test-lucene` runs these."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from codeintel_rev.app.config_context import ApplicationContext
from codeintel_rev.app.doctor import Finding, examine, repair
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.app.readiness import ReadinessProbe
from codeintel_rev.app.refreshing import quiet
from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import Unavailable
from codeintel_rev.types import Scope

pytestmark = [pytest.mark.lucene, pytest.mark.timeout(600)]  # Java starts late on a busy machine

QUERIES = ("parse url", "open session retries", "AuthMiddleware", "token", "split an address")


def found(index: LocalIndex, query: str, **options: object) -> list[tuple[str, int]]:
    hits = index.search(query, mode="lexical", **options).hits  # type: ignore[arg-type]
    return [(hit.uri, hit.start_line) for hit in hits]


def health(index: LocalIndex) -> str:
    (opened,) = index.opened
    return opened.words_health()


def test_lucene_serves_what_compaction_gave_it(index: LocalIndex) -> None:
    assert found(index, "parse url")[0] == ("src/urls.py", 1)
    assert health(index).startswith("Lucene, ")


def test_order_and_scale_are_those_of_tantivy(index: LocalIndex, by_tantivy: LocalIndex) -> None:
    for query in QUERIES:
        ours, theirs = (i.search(query, mode="lexical").hits for i in (index, by_tantivy))
        assert [hit.doc_id for hit in ours] == [hit.doc_id for hit in theirs]
        scores = [hit.scores.bm25 for hit in ours]
        # Lucene's mean length of a field is that of the chunks that have it, tantivy's that of all
        assert scores == pytest.approx([hit.scores.bm25 for hit in theirs], rel=0.5)


def test_an_edit_after_the_compaction_is_found_among_the_rest(
    compacted: Path, settings: Settings
) -> None:
    (compacted / "src" / "urls.py").unlink()
    (compacted / "fresh.py").write_text("def parse_url_again(session):\n    return session\n")
    with open_index(compacted, settings=settings) as index:
        assert found(index, "parse url") == [("fresh.py", 1)]
        assert {uri for uri, _ in found(index, "session")} == {"fresh.py", "src/session.py"}
        assert index.search("AuthMiddleware check", limit=1).hits[0].uri == "auth.py"


def test_the_doctor_finds_and_mends_a_damaged_index(compacted: Path, settings: Settings) -> None:
    def lucene() -> Finding:
        report = examine(compacted / ".codeintel", settings)
        (found,) = (check for check in report.checks if "lucene" in check.name)
        return found

    assert lucene().detail == "4 chunks"
    (folder,) = (compacted / ".codeintel").glob("repos/*/catalog/*/lucene")
    for part in folder.glob("*.si"):
        part.write_bytes(b"")
    assert "cannot be read" in lucene().detail
    assert lucene().fix == "codeintel doctor --repair"
    assert repair(compacted / ".codeintel", settings, quiet).ok
    (manifest,) = (compacted / ".codeintel").glob("repos/*/catalog/*/lucene.manifest.json")
    manifest.unlink()
    assert "tantivy serves" in lucene().detail


def test_a_scope_is_kept(index: LocalIndex) -> None:
    scope = Scope(include_globs=["src/**"])
    assert {uri for uri, _ in found(index, "session token", scope=scope)} == {"src/session.py"}


def test_before_the_first_compaction_tantivy_serves(repo: Path, settings: Settings) -> None:
    with open_index(repo, settings=settings) as index:
        assert found(index, "parse url")[0] == ("src/urls.py", 1)
        with pytest.raises(Unavailable, match="no Lucene index"):
            health(index)


def test_a_damaged_lucene_index_leaves_the_words_to_tantivy(
    compacted: Path, settings: Settings
) -> None:
    (folder,) = (compacted / ".codeintel").glob("repos/*/catalog/*/lucene")
    for part in folder.glob("*.si"):
        part.write_bytes(b"")
    with open_index(compacted, settings=settings) as index:
        assert found(index, "parse url")[0] == ("src/urls.py", 1)
        with pytest.raises(Unavailable):
            health(index)


async def test_readiness_tells_what_serves_the_words(compacted: Path, settings: Settings) -> None:
    data_dir = compacted / ".codeintel"
    context = await ApplicationContext.create(_with_data_dir(settings, data_dir))
    try:
        ready = await ReadinessProbe(context).check()
        assert ready["mode"] == "ready"
        assert ready["checks"]["bm25"]["detail"].startswith("Lucene, ")
    finally:
        await context.close()
    for folder in data_dir.glob("repos/*/catalog/*/lucene"):
        shutil.rmtree(folder)
    context = await ApplicationContext.create(_with_data_dir(settings, data_dir))
    try:
        degraded = await ReadinessProbe(context).check()
        assert (degraded["ready"], degraded["mode"]) == (True, "degraded")
        assert "tantivy serves" in degraded["detail"]
    finally:
        await context.close()


def _with_data_dir(settings: Settings, data_dir: Path) -> Settings:
    return replace(settings, data_dir=data_dir)
