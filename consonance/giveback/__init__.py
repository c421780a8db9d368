"""What a participant gets back: one page of what the study holds of them, and of their own listening."""
