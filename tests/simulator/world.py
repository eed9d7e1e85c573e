"""The simulated world: papers are submitted, announced, replaced, cross-listed, withdrawn and listed again."""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
HOLIDAYS = {date(2026, 6, 19), date(2026, 7, 3)}
"""Holidays that arXiv has published. A holiday on a Friday cancels Sunday's announcement."""
ACCIDENT = date(2026, 6, 10)
"""An evening whose announcement is skipped without notice."""
CATEGORIES = ("cs.AI", "cs.CL", "cs.CV", "cs.LG")
COMMENTS = ("9 pages, submitted to ICML 2026", "Accepted at ICML 2026", "Accepted at ICML 2026 (oral)")
"""Successive comments of a paper."""
WORDS = [
    "agents",
    "attention",
    "diffusion",
    "graph",
    "language",
    "protein",
    "reasoning",
    "retrieval",
    "robot",
    "speech",
    "video",
    "vision",
]


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """Return a New York time of day, in UTC."""
    return datetime.combine(day, time(hour, minute), NEW_YORK).astimezone(UTC)


def announces(evening: date) -> bool:
    if evening.weekday() in (4, 5) or evening in HOLIDAYS or evening == ACCIDENT:
        return False
    return evening - 2 * DAY not in HOLIDAYS or (evening - 2 * DAY).weekday() != 4


@dataclass
class Arxived:
    """A paper on arXiv."""

    id: str
    title: str
    categories: tuple[str, ...]
    announced: datetime
    submitted: list[datetime]
    """Submission times of all versions, including future ones."""
    changes: list[datetime]
    """Times at which its record changed, including the announcement, in order."""
    crossed: tuple[datetime, str] | None = None
    withdrawn: datetime | None = None
    reinstated: datetime | None = None
    comments: list[tuple[datetime, str]] = field(default_factory=list)
    """Its comments, each with the time from which it holds."""

    def comment_at(self, now: datetime) -> str:
        return next((text for since, text in reversed(self.comments) if since <= now), "")

    def is_gone(self, now: datetime) -> bool:
        back = self.reinstated is not None and self.reinstated <= now
        return self.withdrawn is not None and self.withdrawn <= now and not back

    def versions(self, now: datetime) -> list[datetime]:
        return [self.submitted[0], *(s for s in self.submitted[1:] if s <= now)]

    def categories_at(self, now: datetime) -> tuple[str, ...]:
        return (
            (*self.categories, self.crossed[1])
            if self.crossed and self.crossed[0] <= now
            else self.categories
        )

    def changed(self, now: datetime) -> datetime | None:
        """Return the time of the last visible change."""
        at_most = bisect_right(self.changes, now)
        return self.changes[at_most - 1] if at_most else None


@dataclass
class Listed:
    """A paper on Hugging Face's list for a date."""

    id: str
    title: str
    appears: datetime
    upvotes: int


@dataclass
class World:
    """All events from `start` on, and in the weeks before."""

    seed: int
    start: date
    days: int
    per_category: int = 20
    histories: bool = False
    """Whether most papers have a long history: up to four versions, comments, reverted withdrawals, and dates changed
    by arXiv's maintenance."""
    categories: tuple[str, ...] = CATEGORIES
    """Primary categories of the papers that must be found."""
    arxived: list[Arxived] = field(default_factory=list)
    listed: dict[date, list[Listed]] = field(default_factory=dict)
    posted: dict[date, list[tuple[str, int, datetime]]] = field(default_factory=dict)
    """bioRxiv: day -> DOI, version and time of appearance of its papers."""
    evenings: list[date] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.fates = Random(self.seed + 77)
        first = self.start - 20 * DAY
        span = [first + n * DAY for n in range(self.days + 21)]
        self.evenings = [day for day in span if announces(day)]
        numbers: dict[str, int] = {}
        for evening in self.evenings:
            self._announce(evening, numbers)
        for day in span:
            self._post(day)
            if day.weekday() < 5:
                self._list(day)

    def _announce(self, evening: date, numbers: dict[str, int]) -> None:
        random, moment = self.random, at(evening, 20)
        for primary in dict.fromkeys((*self.categories, "cs.RO")):
            for _ in range(self.per_category if primary in self.categories else self.per_category // 3):
                month = f"{evening + DAY:%y%m}"
                numbers[month] = numbers.get(month, 0) + 1
                others = random.sample(
                    [c for c in dict.fromkeys((*self.categories, "stat.ML")) if c != primary],
                    random.randrange(3),
                )
                held = random.choice((1, 1, 1, 2, 3, 4, 12))
                self.arxived.append(
                    self._paper(f"{month}.{numbers[month]:05}", primary, others, moment, held)
                )

    def _paper(self, paper_id: str, primary: str, others: list[str], moment: datetime, held: int) -> Arxived:
        random = self.random
        paper = Arxived(
            id=paper_id,
            title=f"{' '.join(random.sample(WORDS, 4)).capitalize()} {paper_id[-5:]}",
            categories=(primary, *others),
            announced=moment,
            submitted=[moment - held * DAY - timedelta(minutes=random.randrange(600))],
            changes=[moment + timedelta(hours=2, minutes=random.randrange(25))],
        )
        later = [moment + random.randrange(1, 40) * DAY for _ in range(3)]
        if random.random() < 0.25:
            paper.submitted.append(later[0])
            paper.changes.append(later[0] + timedelta(hours=2))
        if random.random() < 0.03:
            paper.crossed = (later[1], "cs.CY")
            paper.changes.append(later[1])
        if random.random() < 0.02:
            paper.withdrawn = max(later[2], *paper.submitted)
            paper.submitted.append(paper.withdrawn)
            paper.changes.append(paper.withdrawn)
        if random.random() < 0.05:  # a journal reference: no visible change
            paper.changes.append(moment + random.randrange(1, 60) * DAY)
        if self.histories:
            self._give_history(paper)
        paper.submitted.sort()
        paper.changes.sort()
        return paper

    def _give_history(self, paper: Arxived) -> None:
        """Replace its history so far with a long one. Changes are at least a day apart."""
        fates, moment = self.fates, paper.announced
        paper.submitted, paper.changes = paper.submitted[:1], paper.changes[:1]
        paper.crossed, paper.withdrawn = None, None
        paper.comments = [(datetime.min.replace(tzinfo=UTC), "9 pages")]
        comments = iter(COMMENTS)
        for _ in range(fates.choice((0, 0, 2, 4, 6))):
            moment += fates.randrange(1, 5) * DAY
            match fates.choice(("version", "version", "comment", "comment", "withdrawal", "maintenance")):
                case "version":
                    paper.submitted.append(moment)
                    if paper.withdrawn and not paper.reinstated:
                        paper.reinstated = moment
                        paper.comments.append((moment, "9 pages, corrected"))
                case "comment" if not paper.withdrawn and (text := next(comments, "")):
                    paper.comments.append((moment, text))
                case "withdrawal" if not paper.withdrawn:
                    paper.withdrawn = moment
                    paper.submitted.append(moment)
                    paper.comments.append((moment, "This paper has been withdrawn: an error in Lemma 2"))
            paper.changes.append(moment + timedelta(hours=2))
            if len(paper.submitted) == 4:
                return

    def _list(self, day: date) -> None:
        """List some of the last days' papers over the day; sometimes one that was listed before."""
        random = self.random
        opens = at(day - DAY, 21, 30)
        recent = [p for p in self.arxived if opens - 10 * DAY < p.announced < opens]
        rows = [
            Listed(
                p.id,
                p.title,
                at(day - DAY, 21, 35) + timedelta(minutes=random.randrange(1300)),
                random.randrange(90),
            )
            for p in random.sample(recent, min(25, len(recent)))
        ]
        before = self.listed.get(day - 3 * DAY, [])
        self.listed[day] = rows + [
            Listed(row.id, row.title, at(day, 3), row.upvotes)
            for row in random.sample(before, min(2, len(before)))
        ]

    def _post(self, day: date) -> None:
        """Post bioRxiv's papers over the day, and a few only on the next day."""
        random = self.random
        rows = []
        for n in range(12):
            late = DAY if random.random() < 0.1 else timedelta(0)
            appears = datetime.combine(day, time(random.randrange(24), random.randrange(60)), UTC) + late
            rows.append((f"10.1101/{day:%Y.%m.%d}.{n:06}", 1, appears))
        older = [doi for doi, version, _ in self.posted.get(day - 5 * DAY, []) if version == 1]
        rows += [(doi, 2, datetime.combine(day, time(9), UTC)) for doi in older[:3]]
        self.posted[day] = rows
