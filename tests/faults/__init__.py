"""Thousands of faults: processes are killed, answers lost, servers restarted; and every post is counted."""
