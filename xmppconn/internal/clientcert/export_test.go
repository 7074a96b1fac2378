package clientcert

// AddressesIn is addressesIn for the tests of what a certificate names.
var AddressesIn = addressesIn
