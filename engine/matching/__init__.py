"""Ways to tell that two values mean the same: values in, keys and likenesses out. Pure; knows no record."""
