{{ staged_scores('service_experience') }}
