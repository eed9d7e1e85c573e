"""`/paper presets`: ready-made queries for fields of science, with the number of recent matches."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from bot.cards import Bullets, Button, Card, Text
from bot.cards.build import actions, bold, code, count, dim, text
from bot.commands.lookback import DAYS, look_back
from bot.commands.services import Services
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Command
from bot.ports import Reply
from bot.query import parse, spelled

PAGE_SIZE = 10
OFFERED = 3
"""Number of presets on the first screen of a channel."""
MIN_ABBREVIATION = 3
"""Minimum number of letters in a channel's name that can abbreviate a word: `alg` for algebraic."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A query under a short name."""

    title: str
    query: str
    words: str = ""
    """More words by which a channel's name is recognized."""


PRESETS: Mapping[str, Preset] = {
    "language-models": Preset("Language models", 'title:("language model" OR llm) (pretraining OR scaling OR "long context")', "llm nlp"),
    "reasoning": Preset("Reasoning of language models", 'title:reasoning ("language model" OR llm)', "llm"),
    "agents": Preset("Agents", 'title:agent (llm OR "language model") (benchmark OR "tool use" OR planning)', "agentic"),
    "ai-safety": Preset("Safety of AI", '"ai safety" OR jailbreak OR "reward hacking" OR misalignment OR "red teaming"', "alignment"),
    "interpretability": Preset("Interpretability", '"mechanistic interpretability" OR "sparse autoencoder" OR "activation steering"', "mech interp xai"),
    "retrieval": Preset("Retrieval", '"retrieval-augmented" OR "dense retrieval" OR title:rag', "rag search ir information"),
    "efficient-ml": Preset("Small and fast models", "title:(quantization OR pruning OR distillation OR \"speculative decoding\")", "compression inference systems"),
    "reinforcement-learning": Preset("Reinforcement learning", 'title:("reinforcement learning" OR rlhf OR grpo)', "rl"),
    "generative-images": Preset("Image and video generation", 'title:(diffusion OR "flow matching") (image OR video)', "diffusion vision"),
    "computer-vision": Preset("Computer vision", 'title:("object detection" OR segmentation OR "pose estimation" OR tracking) cat:cs.CV', "cv image"),
    "3d-vision": Preset("3D vision", '"gaussian splatting" OR nerf OR "novel view synthesis"', "graphics reconstruction"),
    "robotics": Preset("Robotics", "title:(robot OR robotic OR humanoid OR manipulation)", "robots embodied"),
    "speech": Preset("Speech and audio", "title:(speech OR audio OR music) (cat:eess.AS OR cat:cs.SD)", "sound asr tts"),
    "graph-learning": Preset("Learning on graphs", 'title:("graph neural network" OR gnn)', "gnn network"),
    "software-engineering": Preset("Software engineering", '"program repair" OR "code generation" OR "software testing"', "code programming dev"),
    "cryptography": Preset("Cryptography", 'cat:cs.CR title:(encryption OR "zero-knowledge" OR "post-quantum" OR cryptographic)', "security privacy"),
    "medical-imaging": Preset("Medical imaging", 'title:(mri OR ct OR ultrasound OR radiology OR "medical image")', "medicine health radiology clinical"),
    "protein-design": Preset("Proteins", '"protein design" OR "protein language model" OR "protein structure prediction"', "biology bio molecules"),
    "genomics": Preset("Genomics", 'cat:q-bio.GN OR (cat:genomics title:(genome OR "single-cell"))', "genetics dna biology bio"),
    "neuroscience": Preset("Neuroscience", 'cat:q-bio.NC OR (cat:neuroscience title:(cortex OR hippocampus))', "brain neuro cognition"),
    "quantum-computing": Preset("Quantum computing", 'cat:quant-ph title:("error correction" OR qubit OR "quantum computing")', "qc physics"),
    "cosmology": Preset("Cosmology", 'cat:astro-ph.CO title:("dark energy" OR "dark matter" OR inflation OR hubble)', "astro space astronomy"),
    "particle-physics": Preset("Particle physics", 'cat:hep-ph title:(neutrino OR higgs OR "dark matter")', "hep physics lhc"),
    "materials": Preset("Materials", 'cat:cond-mat.mtrl-sci title:("machine learning" OR perovskite OR battery)', "condensed matter chemistry"),
    "climate": Preset("Weather and climate", '"weather forecasting" OR "climate model" OR (cat:physics.ao-ph title:climate)', "earth ocean atmosphere"),
    "algebraic-geometry": Preset("Algebraic geometry", "cat:math.AG", "math mathematics"),
    "number-theory": Preset("Number theory", "cat:math.NT", "math mathematics"),
    "optimization": Preset("Optimization", 'cat:math.OC title:(convex OR gradient OR stochastic)', "math mathematics control"),
    "statistics": Preset("Statistics", "cat:stat.ME title:(causal OR bayesian)", "stats math causality inference"),
    "economics": Preset("Economics", "cat:econ.EM OR cat:econ.TH", "econ finance econometrics"),
}  # fmt: skip
"""Presets by the name that is typed: `preset:robotics`."""

_TYPED = re.compile(r"(?<!\S)(-?)preset:([\w-]{1,40})", re.IGNORECASE)
_WITHOUT_NAME = re.compile(r"preset(?::| +([\w-]{1,40}))", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")


def expand(typed: str) -> str:
    """Return a typed query with each `preset:name` replaced by its query. Raises UserError for an unknown name."""
    if named := _WITHOUT_NAME.fullmatch(typed.strip()):
        near = get_close_matches(named[1].casefold(), PRESETS, n=1) if named[1] else []
        if near or typed.strip().endswith(":"):
            hint = f"/paper subscribe preset:{near[0]}" if near else "/paper presets"
            raise UserError("“preset:” needs a preset's name right after it.", hint=hint)
    whole = _TYPED.fullmatch(typed.strip())
    if whole and not whole[1]:
        return _find_preset(whole[2]).query
    return _TYPED.sub(lambda found: f"{found[1]}({_find_preset(found[2]).query})", typed)


def for_channel(name: str) -> list[str]:
    """Return the three presets that suit a channel of this name best, filled up with well-known ones.

    >>> for_channel("#math-alg-geom")[0]
    'algebraic-geometry'
    """
    words = [word for word in _WORD.findall(name.casefold()) if not word.isdigit()]
    scores = {preset: _score(preset, words) for preset in PRESETS}
    suiting = sorted((p for p in PRESETS if scores[p]), key=lambda preset: -scores[preset])
    return list(dict.fromkeys((*suiting, *DEFAULTS)))[:OFFERED]


DEFAULTS: Sequence[str] = ("language-models", "robotics", "generative-images")


async def presets(command: Command, services: Services) -> Reply:
    """Reply with one page of the presets and their recent matches; those that suit the channel come first."""
    suiting = for_channel(await services.channel_name(command.channel))
    names = list(dict.fromkeys((*suiting, *PRESETS)))
    pages = -(-len(names) // PAGE_SIZE)
    page = min(max(int(command.options.get("page", 1)), 1), pages)
    shown = names[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    lines = tuple([await _line(name, services) for name in shown])
    neighbors = ((page > 1, "Previous", page - 1), (page < pages, "Next", page + 1))
    page_buttons = [Button(label, f"presets page:{to}") for exists, label, to in neighbors if exists]
    heading = f"{len(PRESETS)} presets (page {page} of {pages})"
    return Reply(
        Card(
            "reply",
            heading,
            heading,
            (Bullets(lines), *actions(*buttons(shown[:OFFERED])), *actions(*page_buttons)),
        )
    )


async def offers(channel: ChannelRef, services: Services) -> tuple[Text, Sequence[Button]]:
    """Return a sentence and buttons for a channel that has no subscriptions yet."""
    names = for_channel(await services.channel_name(channel))
    return text("Or start with one of ", code("/paper presets"), ":"), buttons(names)


def buttons(names: Sequence[str]) -> list[Button]:
    """Return a button for each of these presets."""
    return [Button(PRESETS[name].title, f"subscribe preset:{name}") for name in names]


async def _line(name: str, services: Services) -> Text:
    query = parse(PRESETS[name].query)
    past = await look_back(query, services)
    found = f"{count(len(past.matching), 'match', 'matches')} in {DAYS} days"
    return text(
        bold(PRESETS[name].title),
        " ",
        code(f"preset:{name}"),
        " – ",
        code(spelled(query)),
        dim(f" · {found}"),
    )


def _find_preset(name: str) -> Preset:
    preset = PRESETS.get(name.casefold())
    if preset is None:
        near = get_close_matches(name.casefold(), PRESETS, n=1)
        hint = f"/paper subscribe preset:{near[0]}" if near else "/paper presets"
        raise UserError(f"There is no preset “{name}”. /paper presets shows all.", hint=hint)
    return preset


def _score(name: str, words: Sequence[str]) -> int:
    """Score a preset for the words of a channel's name: 2 for each word of its title, 1 for each of its others."""
    preset = PRESETS[name]
    titled = _WORD.findall(f"{name} {preset.title}".casefold())
    return sum(2 * _matches(word, titled) + _matches(word, preset.words.split()) for word in words)


def _matches(word: str, known: Sequence[str]) -> bool:
    return any(word == one or (len(word) >= MIN_ABBREVIATION and one.startswith(word)) for one in known)
