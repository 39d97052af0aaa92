{{ staged_scores('interaction_quality') }}
