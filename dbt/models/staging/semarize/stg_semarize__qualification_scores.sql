{{ staged_scores('qualification') }}
