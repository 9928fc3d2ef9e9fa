# Sourced before a customer's job: the role XGEN_AWS_ROLE becomes AWS' default profile, for every program of the job.
# By the job's own token, or by XGEN_AWS_ACCESS_KEY_ID and XGEN_AWS_SECRET_ACCESS_KEY of a principal that may assume it.
if [ -n "${XGEN_AWS_ROLE:-}" ]; then
    mkdir -p build/private
    chmod 700 build/private
    AWS_CONFIG_FILE=$PWD/build/private/config
    AWS_SHARED_CREDENTIALS_FILE=$PWD/build/private/credentials
    export AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE
    {
        printf '[default]\nrole_arn = %s\nrole_session_name = gitlab-%s\n' "$XGEN_AWS_ROLE" "${CI_JOB_ID:-job}"
        if [ -n "${XGEN_AWS_ACCESS_KEY_ID:-}" ]; then
            printf 'source_profile = runner\n'
        else
            printf 'web_identity_token_file = %s/build/private/token\n' "$PWD"
        fi
    } >"$AWS_CONFIG_FILE"
    if [ -n "${XGEN_AWS_ACCESS_KEY_ID:-}" ]; then
        printf '[runner]\naws_access_key_id = %s\naws_secret_access_key = %s\n' \
            "$XGEN_AWS_ACCESS_KEY_ID" "${XGEN_AWS_SECRET_ACCESS_KEY:-}" >"$AWS_SHARED_CREDENTIALS_FILE"
    else
        : "${XGEN_AWS_TOKEN:?the job has no token of its own, and XGEN_AWS_ACCESS_KEY_ID is not set}"
        printf %s "$XGEN_AWS_TOKEN" >build/private/token
    fi
    unset XGEN_AWS_ACCESS_KEY_ID XGEN_AWS_SECRET_ACCESS_KEY XGEN_AWS_TOKEN
fi
