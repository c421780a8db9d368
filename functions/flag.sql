cast(condition as boolean)
