/** A certificate for localhost that no authority has signed, valid for a century. */
export const selfSigned = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgqbcAzeT8B1p+G0Pc
c1nSiudj6nZUUqJmhyaWJNy1NEmhRANCAATSQSVE+FcQoyuCeqDhHUbZBfZu/yuo
kc4xUM+X88kmsaUsF/W+RnzSq71iv1L+awyl4zyOeS+sb8v7Uyh4zTXo
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBljCCATugAwIBAgIUFuCGM3m2OQYdg2t/YrqoJjhkz10wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNzE2NDcxNloYDzIxMjYxMTAz
MTY0NzE2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATSQSVE+FcQoyuCeqDhHUbZBfZu/yuokc4xUM+X88kmsaUsF/W+RnzS
q71iv1L+awyl4zyOeS+sb8v7Uyh4zTXoo2kwZzAdBgNVHQ4EFgQUgbiOr0rwsHnZ
hN9GBAwVKIzjTMYwHwYDVR0jBBgwFoAUgbiOr0rwsHnZhN9GBAwVKIzjTMYwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SQAwRgIhAPdsu3lRj0Uyay0OGaj+ncVCicUOWaIvtTA/+6bu2k76AiEArYIm628p
RtzI81idfUm43OWx9UbNzMEIjS6zNnwtQ0w=
-----END CERTIFICATE-----`,
}
