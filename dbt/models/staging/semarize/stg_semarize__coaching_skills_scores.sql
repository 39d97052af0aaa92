{{ staged_scores('coaching_skills') }}
