"""The search API's answers."""

import pytest

from bot.domain.errors import SourceError
from bot.sources.arxiv.announcements import parse_answer
from tests.sources.upstreams import rss


def answer(*rows: str, total: int, start: int = 0) -> bytes:
    return (
        '<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" '
        'xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns="http://www.w3.org/2005/Atom">'
        "<id>https://arxiv.org/api/x</id><title>arXiv Query</title>"
        f"<opensearch:totalResults>{total}</opensearch:totalResults>"
        f"<opensearch:startIndex>{start}</opensearch:startIndex>{''.join(rows)}</feed>"
    ).encode()


ROW = """<entry><id>http://arxiv.org/abs/math.GT/0309136v2</id><title>Error</title>
<summary> We
count. </summary><category term="math.AG"/><category term="math.GT"/><category term="57M27"/>
<published>2003-09-08T12:00:00Z</published><arxiv:primary_category term="math.GT"/>
<author><name>Ada Lovelace</name></author><author><name>Emmy Noether</name></author></entry>"""
ERROR = """<entry><id>https://arxiv.org/api/errors#incorrect_id_format_for_abc</id><title>Error</title>
<summary>incorrect id format for abc</summary></entry>"""


def test_an_answer_becomes_papers() -> None:
    (paper,) = parse_answer(answer(ROW, total=1))
    assert (paper.id, paper.title, paper.abstract) == ("math/0309136", "Error", "We count.")
    assert paper.categories == ("math.GT", "math.AG")
    assert paper.authors == ("Ada Lovelace", "Emmy Noether")
    assert paper.published.isoformat() == "2003-09-08T12:00:00+00:00"


def test_an_answer_without_results_is_not_an_error() -> None:
    assert parse_answer(answer(total=0)) == ()
    assert parse_answer(answer(total=10, start=10)) == ()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (answer(ERROR, total=1), "incorrect id format for abc"),
        (answer(total=10), "empty page"),
        (answer(ROW, total=1)[:-30], "can't be read"),
        (rss(), "not an answer to a search"),
    ],
)
def test_any_other_answer_is_an_error(body: bytes, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        parse_answer(body)
