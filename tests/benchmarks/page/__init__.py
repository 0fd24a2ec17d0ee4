"""What the picture costs in a real browser, beside the same scene drawn the plain way."""
