"""Remote systems that images come from and go to: PACS, archives, modalities."""
