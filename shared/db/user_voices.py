"""The voices that the learner chose."""

from psycopg.rows import class_row

from shared.db.database import Transaction
from shared.dto.voices import UserVoiceSlot, VoiceSlot

COLUMNS = "id, slot, language, voice_id, created_at"


def listing(transaction: Transaction) -> list[UserVoiceSlot]:
    """The slots that have a voice, in the order they are played."""
    cursor = transaction.cursor(row_factory=class_row(UserVoiceSlot))
    return cursor.execute(f"select {COLUMNS} from public.user_voices order by slot").fetchall()  # noqa: S608


def put(transaction: Transaction, slot: VoiceSlot, language: str, voice_id: str) -> UserVoiceSlot:
    """Let a voice speak in a slot; raises VoiceConflict."""
    cursor = transaction.cursor(row_factory=class_row(UserVoiceSlot))
    cursor.execute(
        f"""
        insert into public.user_voices (slot, language, voice_id)
        values (%s, %s, %s)
        on conflict on constraint user_voices_uq_user_slot do update
        set language = excluded.language,
            voice_id = excluded.voice_id
        returning {COLUMNS}
        """,  # noqa: S608
        [slot, language, voice_id],
    )
    return cursor.fetchall()[0]
