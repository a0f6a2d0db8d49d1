"""What a large distillation takes, before it begins: operations are counted, rates are measured,
and hours are their quotient."""
