"""HOW IT WENT: analyses of staff, staffing, experience and journeys, as plain functions over arrays and frames."""
