"""What an operator runs besides the bot: maintenance, backfill, doctor."""
