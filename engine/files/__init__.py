"""Files that people upload: where their contents lie, what they are called, who may have them."""
