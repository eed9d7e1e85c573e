"""Other names that people type for commands and settings: in another language, or as in other programs."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from bot.commands.setting_specs import SETTING_SPECS

MIN_SIMILARITY = 0.85
"""Minimum similarity of a mistyped foreign word to the right one, 0 to 1: `abonieren` and `abonnieren` have 0.95."""

OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        word: name
        for name, words in {
            "help": "hilfe hulp pomoc aide ayuda ajuda aiuto ヘルプ 助けて 使い方 帮助 幫助 도움말 помощь ? h man commands",
            "subscribe": "abonnieren abonniere abo abonner abonne suscribir suscribirse suscribirme suscribete seguir "
            "suivre folgen inscrever assinar iscriviti volg abonneer zasubskrybuj subskrybuj obserwuj 購読 登録 フォロー 订阅 訂閱 구독 подписаться add new",
            "unsubscribe": "abbestellen kündigen abmelden desabonner desuscribir desuscribirse entfernen löschen supprimer "
            "eliminar borrar usuń opzeggen afmelden cancelar 購読解除 解除 削除 取消订阅 退订 отписаться delete",
            "list": "liste lista lister auflisten listar lijst 一覧 リスト 列表 список ls subscriptions",
            "search": "suche suchen finden finde chercher recherche rechercher buscar busca procurar pesquisar pesquise pesquisa cerca zoek zoeken szukaj wyszukaj sök 検索 探す "
            "搜索 搜尋 검색 поиск lookup",
            "preview": "vorschau aperçu apercu vista previa previsualizar プレビュー 预览",
            "settings": "einstellungen einstellung réglages paramètres ajustes configuración configuracion configurações definições "
            "impostazioni instellingen ustawienia 設定 设置 設置 설정 настройки config configure preferences options",
            "saved": "gespeichert merkliste enregistrés sauvegardés guardados favoritos export bookmarks 保存済み お気に入り 收藏",
            "mute": "stumm stummschalten silencer muet silenciar ミュート 静音",
            "status": "zustand statut estado stato 状態 状态 статус",
            "trending": "beliebt trends tendances tendencias トレンド 人気 热门 hot popular",
            "similar": "ähnlich ähnliche similaire semejante parecido 類似 相似",
            "explain": "erkläre erklären warum expliquer explique pourquoi explicar 説明 なぜ 解释",
            "author": "autor autorin auteur 著者 作者",
            "watch": "beobachten surveiller vigilar ウォッチ",
            "forget": "vergessen oublier olvidar 忘れる",
        }.items()
        for word in words.split()
    }
)
"""Word -> name of the command that is suggested: the words aren't commands themselves."""

OTHER_SETTINGS: Mapping[str, str] = {
    "time": "hour", "at": "hour", "timezone": "zone", "tz": "zone", "city": "zone", "schedule": "every",
    "frequency": "every", "weekday": "day", "limit": "most", "max": "most", "budget": "most", "digest_size": "digest", "silent": "quiet", "night": "quiet",
    "mention": "ping", "notify": "ping", "size": "digest", "weekend": "weekends", "cards": "detail",
}  # fmt: skip
"""Another name of a setting -> its name."""

SORTS: Mapping[str, str] = {
    **dict.fromkeys(("date", "newest", "recent", "latest", "time"), "new"),
    **dict.fromkeys(("popular", "upvotes", "likes", "votes", "trending"), "top"),
    "relevance": "best",
}
"""Another name of an order of results -> its name."""

_UNSPACED = tuple(
    word for word in OTHER_NAMES if re.match(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]{2}", word)
)
"""Names in scripts that put no spaces between words: `一覧を見せて` begins with one."""
_AFFIXES = re.compile(r"\A(?:[smtdl]['’]|[-!/.]+)(?=\w)|(?<=\w)[:!?.]+\Z")


def other_name(typed: str) -> str | None:
    """Return the command that `typed` is another name of, even if mistyped; None if there is none."""
    word = _AFFIXES.sub("", typed.casefold()) or typed
    if (name := OTHER_NAMES.get(word)) is not None:
        return name
    if not word.isascii() and (begins := [known for known in _UNSPACED if word.startswith(known)]):
        return OTHER_NAMES[max(begins, key=len)]
    near = get_close_matches(word, OTHER_NAMES, n=1, cutoff=MIN_SIMILARITY) if len(word) > 4 else []
    return OTHER_NAMES[near[0]] if near else None


def setting_named(name: str) -> str | None:
    """Return the setting that is called `name`, its own or another one; None if there is none."""
    return name if any(spec.name == name for spec in SETTING_SPECS) else OTHER_SETTINGS.get(name)
