import { PasswordInput } from "@mantine/core";

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  error?: string;
  description?: string;
  /** A new one, which password managers may make. */
  fresh?: boolean;
}

export function PasswordField({ label, value, onChange, error, description, fresh }: Props) {
  return (
    <PasswordInput
      label={label}
      description={description}
      value={value}
      onChange={(e) => onChange(e.currentTarget.value)}
      error={error}
      autoComplete={fresh ? "new-password" : "current-password"}
      maxLength={200}
      required
    />
  );
}
