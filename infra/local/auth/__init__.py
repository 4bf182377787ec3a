"""An auth server that speaks the protocol of Supabase Auth, as far as Audio Loop and its clients need it.

E-mail and password sign-up and sign-in, refresh tokens, sign-out, the account itself, the key set, and the admin calls
that make, show and delete accounts. There is no mail on this machine: an address counts as confirmed when it is given.

Protocol: https://github.com/supabase/auth/blob/master/openapi.yaml
"""

from infra.local.auth.server import AuthServer, anon_key, service_key

__all__ = ["AuthServer", "anon_key", "service_key"]
