"""Logs, metrics, error reports and progress, for operators."""
