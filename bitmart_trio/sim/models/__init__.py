"""What a user may exchange of an exchange: how it takes fees, fills orders, funds and is moved."""
