"""The demo: its accounts, its images, its projects."""
