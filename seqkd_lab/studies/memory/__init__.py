"""A student with a short memory: the mechanism of sequence-level distillation in its purest
form."""
