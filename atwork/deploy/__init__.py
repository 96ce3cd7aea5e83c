"""`atwork up`: updates a stack if its change is the approved one."""
