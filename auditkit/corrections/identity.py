"""Identities: the Ed25519 keys with which people sign plans. One person, one name, one key.

`identities/NAME.pem` in the home holds the public key in clear and the private key under a passphrase; or only the
public key, and the system's keyring the private one. A private key leaves neither: an `Identity` signs, shows no key
and is not pickled. The file has the folded name, so that no two spellings of a name exist side by side.

Not here: who may sign what (approval).
"""

import base64
import hashlib
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import keyring
import keyring.errors
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import SecretStr

from auditkit.errors import SettingsError
from auditkit.files import make_private_folder, read_private, write_new

__all__ = ["Identities", "Identity", "folded", "is_public_key", "is_signed", "valid_name"]

LEAST_PASSPHRASE = 12
MOST_LETTERS = 60  # of four bytes at most, so that a file can bear the name
_PUNCTUATION = frozenset(" .,'’-_@+")
_SERVICE = "auditkit identity"
_END_OF_PUBLIC = b"-----END PUBLIC KEY-----\n"
_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
_MOST_BYTES = 10_000
# Letters and marks that nothing is drawn for: with them two names could look alike.
_INVISIBLE = frozenset(
    chr(code)
    for first, last in (
        *((0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x3164, 0x3164)),
        *((0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF)),
    )
    for code in range(first, last + 1)
)
# Scripts none of whose letters can be taken for a Latin one; those of East Asia are written together. Cyrillic, Greek,
# Armenian, Cherokee and others are left out: "Аnn" with a Cyrillic A is not "Ann".
_EAST_ASIAN = frozenset({"BOPOMOFO", "CJK", "HANGUL", "HIRAGANA", "KATAKANA"})
_SCRIPTS = frozenset(
    {
        *("LATIN", "ARABIC", "BENGALI", "DEVANAGARI", "ETHIOPIC", "GUJARATI", "GURMUKHI", "HEBREW", "KANNADA", "KHMER"),
        *("LAO", "MALAYALAM", "MYANMAR", "ORIYA", "SINHALA", "TAMIL", "TELUGU", "THAI", "TIBETAN"),
    }
)
_LATIN_WITHOUT_MARKS = frozenset("ÆÐØÞßæðøþĐđĦħŁłŊŋŒœŦŧẞ")  # all others are an ASCII letter, or one with marks


def folded(name: str) -> str:
    """A name as names are compared: regardless of case, width, composition, and spaces at the ends or repeated.

    Unicode's compatibility caseless match (D146), then NFKC.
    """
    caseless = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", name).casefold()).casefold()
    return " ".join(unicodedata.normalize("NFKC", caseless).split())


def valid_name(name: str) -> str:
    """The name, its spaces tidied.

    `SettingsError` for one that could be a path, or be mistaken for another name: with letters that cannot be seen,
    that look like others, or of several scripts.
    """
    fold = folded(name)
    is_plain = 0 < len(fold) <= MOST_LETTERS and fold[0].isalnum() and all(map(_is_plain, fold + name))
    if not is_plain:
        raise SettingsError(
            f"{name[:80]!a} is not a name for an identity: write 1 to {MOST_LETTERS} letters, digits, spaces or"
            " . , ' - _ @ +, the first a letter or digit, e.g. ann.lee"
        )
    if look_alikes := sorted(set(filter(_looks_like_another, _letters(name) + fold))):
        raise SettingsError(
            f"{name[:80]!a} could be mistaken for another name ({', '.join(map(_described, look_alikes))}): write it in"
            " plain letters, e.g. ann.lee"
        )
    scripts = {_script(each) for each in _letters(name) if unicodedata.category(each)[0] == "L"}
    if len({"EAST ASIAN" if script in _EAST_ASIAN else script for script in scripts}) > 1:
        raise SettingsError(f"{name[:80]!a} mixes letters of {' and '.join(sorted(scripts))}: write it in one script")
    return " ".join(name.split())


def _is_plain(character: str) -> bool:
    return character in _PUNCTUATION or (unicodedata.category(character)[0] in "LMN" and character not in _INVISIBLE)


def _letters(name: str) -> str:
    """The characters of a name, composed; one that composition would replace by another one stays: the Kelvin sign."""
    composed = ((each, unicodedata.normalize("NFC", each)) for each in name)
    replaced = "".join(each for each, other in composed if each != other and len(other) == 1)
    return replaced + unicodedata.normalize("NFC", name)


def _looks_like_another(character: str) -> bool:
    if character.isascii() or character in _PUNCTUATION or character.isspace():
        return False
    if unicodedata.category(character)[0] == "N" or unicodedata.normalize("NFKC", character) != character:
        return True  # digits of other scripts, and wide, narrow, circled or joined forms
    script = _script(character)
    if script == "LATIN":
        return not (unicodedata.normalize("NFD", character)[0].isascii() or character in _LATIN_WITHOUT_MARKS)
    return script not in _SCRIPTS | _EAST_ASIAN


def _script(character: str) -> str:
    return unicodedata.name(character, "?").replace("-", " ").split(" ")[0]


def _described(character: str) -> str:
    return f"{character} is {unicodedata.name(character, 'unnamed')}"


def is_public_key(text: str) -> bool:
    """Whether a text is 32 bytes in base64, in its one spelling."""
    try:
        return len(_bytes(text)) == 32
    except ValueError:
        return False


def is_signed(public_key: str, text: str, signature: str) -> bool:
    """Whether the signature of the text was made with this key; False where either is malformed."""
    try:
        Ed25519PublicKey.from_public_bytes(_bytes(public_key)).verify(_bytes(signature), text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def _bytes(text: str) -> bytes:
    """The bytes in base64; `ValueError` for another spelling of them, which would look like another key."""
    held = base64.b64decode(text, validate=True)
    if base64.b64encode(held).decode() != text:
        raise ValueError("not the one spelling of these bytes")
    return held


@dataclass(frozen=True, eq=False)
class Identity:
    """A person who can sign: a name, and a key of which only the public half is visible."""

    name: str
    _key: Ed25519PrivateKey = field(repr=False)

    @property
    def public_key(self) -> str:
        """The public key: its 32 bytes in base64."""
        return _text_of(self._key.public_key())

    def sign(self, text: str) -> str:
        """The signature of a text in UTF-8, in base64."""
        return base64.b64encode(self._key.sign(text.encode())).decode()

    def __reduce__(self) -> NoReturn:
        raise TypeError("an identity holds a private key and is not pickled or copied; open it where it is needed")


@dataclass(frozen=True)
class Identities:
    """The identities in a folder. `protected`: a passphrase is required; False only for the demo."""

    folder: Path
    protected: bool = True

    def names(self) -> tuple[str, ...]:
        """The names of all identities, folded and sorted."""
        return tuple(sorted(path.stem for path in self.folder.glob("[!.]*.pem")))  # not what a kill left of one

    def refuse_taken(self, name: str) -> None:
        """Raise `SettingsError` for an invalid name, or one that already has an identity, in any spelling."""
        if (path := self._path(name)).exists():
            raise _taken(path)

    def public_key(self, name: str) -> str:
        """The public key of an identity; no passphrase is needed. `SettingsError` as for `open`."""
        return _read(self._path(name))[0]

    def is_in_keyring(self, name: str) -> bool:
        """Whether the private key is in the system's keyring. `SettingsError` as for `open`."""
        return not _read(self._path(name))[1]

    def new(self, name: str, passphrase: SecretStr | None, *, in_keyring: bool = False) -> Identity:
        """Make a key, store it and open it. `SettingsError` for a taken or invalid name, or a short passphrase.

        The file is written whole or not at all, for its owner alone, and never over another.
        """
        self.refuse_taken(name)
        path = self._path(name)
        if not passphrase and self.protected:
            raise SettingsError(f"{path}: a key needs a passphrase; set AUDITKIT_PASSPHRASE or type it when asked")
        if passphrase and len(passphrase.get_secret_value().strip()) < LEAST_PASSPHRASE:
            raise SettingsError(f"{path}: the passphrase is too short: take {LEAST_PASSPHRASE} characters or more")
        identity = Identity(valid_name(name), Ed25519PrivateKey.generate())
        public, private = _pem(identity, passphrase)
        if in_keyring:
            _store(identity.public_key, private.decode())
        self._publish(path, public if in_keyring else public + private)
        return identity

    def open(self, name: str, passphrase: SecretStr | None) -> Identity:
        """The identity of a name, in any spelling.

        `SettingsError` where there is none, the passphrase is missing or wrong, or the file is open to others or was
        not made by auditkit.
        """
        path = self._path(name)
        public_key, private = _read(path)
        private = private or _from_keyring(path, public_key)
        is_encrypted = private.startswith(_ENCRYPTED)
        if self.protected and not is_encrypted:
            raise SettingsError(f"{path}: the key has no passphrase, which is allowed on the demo only; make a new one")
        if is_encrypted and not passphrase:
            raise SettingsError(f"{path}: needs its passphrase; set AUDITKIT_PASSPHRASE or type it when asked")
        password = _password(passphrase, public_key) if passphrase and is_encrypted else None
        try:
            key = serialization.load_pem_private_key(private, password)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            what = "the passphrase is wrong, or the key is damaged" if is_encrypted else "the key is damaged"
            raise SettingsError(f"{path}: {what}; try again, or make a new identity") from None
        if not isinstance(key, Ed25519PrivateKey) or _text_of(key.public_key()) != public_key:
            raise SettingsError(f"{path}: its private key does not belong to its public key; make a new identity")
        return Identity(valid_name(name), key)

    def _path(self, name: str) -> Path:
        return self.folder / f"{folded(valid_name(name))}.pem"

    def _publish(self, path: Path, data: bytes) -> None:
        make_private_folder(self.folder)
        try:
            write_new(path, data)
        except FileExistsError:
            raise _taken(path) from None


def _taken(path: Path) -> SettingsError:
    return SettingsError(f"{path}: an identity of this name already exists; choose another name")


def _text_of(key: Ed25519PublicKey) -> str:
    return base64.b64encode(key.public_bytes_raw()).decode()


def _pem(identity: Identity, passphrase: SecretStr | None) -> tuple[bytes, bytes]:
    """The public and the private key as PEM, the latter under the passphrase if there is one."""
    key = identity._key
    lock = (
        serialization.BestAvailableEncryption(_password(passphrase, identity.public_key))
        if passphrase
        else serialization.NoEncryption()
    )
    return (
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock),
    )


def _password(passphrase: SecretStr, public_key: str) -> bytes:
    """The password of the PEM. A guess costs 2,048 hashes with OpenSSL's PKCS 8 alone, 32 MB and 0.1 s with scrypt."""
    text = passphrase.get_secret_value().encode("utf-8", "surrogatepass")
    return base64.b64encode(hashlib.scrypt(text, salt=_bytes(public_key), n=2**15, r=8, p=1, maxmem=2**26, dklen=32))


def _read(path: Path) -> tuple[str, bytes]:
    """The public key in base64, and the private one as PEM, empty where the keyring has it."""
    data = _content(path)
    public, end, private = data.partition(_END_OF_PUBLIC)
    try:
        key = serialization.load_pem_public_key(public + end)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise SettingsError(f"{path}: is not a key that `auditkit identity new` made; make a new one")
    return _text_of(key), private


def _content(path: Path) -> bytes:
    try:
        return read_private(
            path,
            _MOST_BYTES,
            restore="restore it, or make a new identity",
            exposed="the key may be known; make a new one",
        )
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such identity; make it with `auditkit identity new`") from None


def _store(public_key: str, private: str) -> None:
    """Store a private key in the keyring, by its public key: two homes may each have an identity of one name."""
    try:
        keyring.set_password(_SERVICE, public_key, private)
        is_kept = keyring.get_password(_SERVICE, public_key) == private
    except keyring.errors.KeyringError:
        is_kept = False
    if not is_kept:
        raise SettingsError("the system's keyring did not store the key; unlock it, or make the identity in a file")


def _from_keyring(path: Path, public_key: str) -> bytes:
    try:
        private = keyring.get_password(_SERVICE, public_key)
    except keyring.errors.KeyringError:
        private = None
    if not private:
        raise SettingsError(f"{path}: the system's keyring does not return its private key; unlock it, then try again")
    return private.encode()
