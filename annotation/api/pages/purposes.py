"""What the sign-in provider is asked for, as the session keeps it until the answer."""

from typing import Final

PURPOSE: Final = "provider_purpose"
CONNECT: Final = "connect"
CONFIRM: Final = "confirm"
INVITED: Final = "invited"
SIGN_IN: Final = "sign_in"
