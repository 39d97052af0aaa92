{{ staged_scores('methodology_meddicc') }}
