{{ staged_scores('methodology_spiced') }}
