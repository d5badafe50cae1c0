/* A client certificate that was good until EXPIRED_AT, and its key. */
#ifndef RESILOG_TESTS_EXPIRED_CERT_H
#define RESILOG_TESTS_EXPIRED_CERT_H

#define EXPIRED_AT    "2021-02-03T04:05:06"
#define EXPIRED_AT_NS (1612325106 * NS_PER_S)

#define EXPIRED_CERT                                                                               \
    "-----BEGIN CERTIFICATE-----\n"                                                                \
    "MIG+MHICAQEwBQYDK2VwMAwxCjAIBgNVBAMMAXgwHhcNMjAwMTAxMDAwMDAwWhcN\n"                           \
    "MjEwMjAzMDQwNTA2WjAMMQowCAYDVQQDDAF4MCowBQYDK2VwAyEAICrRi4n9AUqj\n"                           \
    "yGMAYwzoERfkYX0alSMDMFphlMaPLMUwBQYDK2VwA0EAL3tfT+u0Z52uqO7CX7rZ\n"                           \
    "mrmxIBrZ80fbgGd/5P5cVZio9EX5yQEDes5IwXiRif1ANMmqcY7FJZUegskJ9YSp\n"                           \
    "Aw==\n"                                                                                       \
    "-----END CERTIFICATE-----\n"
#define EXPIRED_KEY                                                                                \
    "-----BEGIN PRIVATE KEY-----\n"                                                                \
    "MC4CAQAwBQYDK2VwBCIEIP3MKo6AZbCwPVMoauNIZWYblpow/LZonXT80H9vng3p\n"                           \
    "-----END PRIVATE KEY-----\n"

#endif
