vault {}
auto_auth { method "cert" {} }
